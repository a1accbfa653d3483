"""What the loop needs of a route: a processor of batches, and what follows snapshots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pipeline.engine.consumer.batch import BatchResult
from pipeline.engine.consumer.ports import Attempt, Offsets
from pipeline.errors import PipelineError
from pipeline.model.event import Message
from pipeline.model.halt import Skip


class BatchProcessor(Protocol):
    """What a route does with a batch, and between batches."""

    def process(
        self,
        messages: Sequence[Message],
        incarnations: Mapping[str, int],
        attempt: Attempt,
    ) -> BatchResult: ...

    def drain(self, attempt: Attempt, *, waiting_retry_seconds: float) -> int: ...

    @property
    def postponed_until(self) -> float | None:
        """When, by the clock's monotonic seconds, what `process` postponed is to be done; None:
        nothing was postponed.
        """

    def finish(self, attempt: Attempt) -> None:
        """Do what was postponed."""

    def refuse_restored(self, transaction: Offsets) -> None: ...

    def allow(self, skips: Sequence[Skip]) -> None: ...

    def refused(self) -> Mapping[str, PipelineError]:
        """Tables of the target that refuse what is written to them, with why."""


class SnapshotFollower(Protocol):
    """What follows a snapshot to its end."""

    def snapshot_ended(self, epoch: int) -> None: ...

    def advance(self, attempt: Attempt) -> None: ...

    def restored(self) -> None:
        """The target was restored: what is known of it counts no more."""

    def is_first_load(self) -> bool:
        """Is the first snapshot still being read: rows are read before those that they refer to."""

    def tell(self, attempt: Attempt) -> None:
        """Tell now and then how far the first snapshot is read, while that lasts."""
