"""What the engine needs of a route's state about halts (part of the port `Offsets`)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from pipeline.model.halt import Halt, Skip, SkippedMessage


class HaltStore(Protocol):
    """What is halted, what may be skipped of it, and what was: in the route's state, where every
    process sees it.
    """

    def halted(self) -> list[Halt]:
        """Everything that is halted, by place."""

    def halt(self, halts: Sequence[Halt]) -> None:
        """Store these. One that is stored for the same message and code keeps its
        `since`."""

    def lift(self, places: Collection[str]) -> None:
        """These resume."""

    def skips(self) -> list[Skip]:
        """What a person said may be skipped, by partition and first offset."""

    def skip(self, skips: Sequence[Skip]) -> None:
        """Store these; one of the same partition and first offset is replaced."""

    def forget_skips(self, skips: Collection[Skip]) -> None: ...

    def note_skipped(self, skipped: Sequence[SkippedMessage], now: datetime) -> None:
        """Messages that were not applied; one that is noted already stays as it is."""

    def skipped(self) -> list[SkippedMessage]:
        """All of them, by place."""

    def forget_skipped(self, skipped: Collection[SkippedMessage]) -> None:
        """The rows of these messages are as the source has them."""
