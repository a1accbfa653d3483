"""Consumer groups as the brokers describe them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pipeline.model.position import TopicPartition

EMPTY_STATES: Final = frozenset({"empty", "dead"})


@dataclass(frozen=True, slots=True)
class GroupState:
    """A consumer group: `empty` and `dead` (never seen, or forgotten) have no members;
    `stable` is at work.
    """

    state: str
    members: int
    assignment: Mapping[TopicPartition, str]  # partition -> id of the member that reads it
    clients: Mapping[str, str] = field(default_factory=dict)  # member's id -> its client id

    @property
    def is_empty(self) -> bool:
        """May its offsets be changed from outside."""
        return self.members == 0 and self.state in EMPTY_STATES
