"""What is halted, what a person said may be skipped of it, and what was skipped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.errors import PipelineError
from pipeline.model.position import TopicPartition


@dataclass(frozen=True, slots=True)
class LostAt:
    """Why a partition cannot be read from this offset."""

    offset: int
    error: PipelineError


@dataclass(frozen=True, slots=True)
class HaltedAt:
    """Why a partition is halted before the message at this offset."""

    offset: int
    incarnation: int
    error: PipelineError


@dataclass(frozen=True, slots=True)
class Halt:
    """A partition, or a table of the target, that is halted, and by which consumer.

    `partition`, its topic's `incarnation` and `offset` (of the first message that was not applied)
    are None for a table.
    `sentence`: code, place and what to do, without row values. `since`: aware UTC.
    """

    place: str
    partition: TopicPartition | None
    incarnation: int | None
    offset: int | None
    code: str
    sentence: str
    since: datetime
    consumer: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Offsets `first` to `last` of a partition, in one incarnation of its topic: a message among
    them that would halt its partition is skipped. `by`: who said so.
    """

    partition: TopicPartition
    incarnation: int
    first: int
    last: int
    by: str
    at: datetime

    def covers(self, incarnation: int, offset: int) -> bool:
        return incarnation == self.incarnation and self.first <= offset <= self.last


@dataclass(frozen=True, slots=True)
class SkippedMessage:
    """A message that was not applied and never will be: the row that it was of needs a backfill.

    `key`: the message's key as it came, JSON; "" without one. `code`: why it could not be applied.
    `reason`: who let it be skipped (see `SkipReason`).
    """

    partition: TopicPartition
    incarnation: int
    offset: int
    key: str
    code: str
    reason: str


def place_of(partition: TopicPartition) -> str:
    """ajera.AxVec[0]: as logs, `status` and `/health` call a partition."""
    return f"{partition.topic}[{partition.partition}]"
