"""The two databases of the simulated world: rows, a log in commit order,
and the topic that Debezium makes of it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pipeline.conflicts.rules import Rules, Side
from pipeline.model.event import Event, Operation, Value
from pipeline.model.position import (
    EPOCH_WIDTH,
    LSN_WIDTH,
    TopicOffset,
    postgres_position,
)
from tests.properties.conflicts.lines import RULES, stored

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TABLE = {Side.AJERA: "AxVec", Side.DPS: "Clendor"}


@dataclass(frozen=True, slots=True)
class Commit:
    """One change of a row, as the log has it."""

    number: int
    key: str
    operation: Operation
    image: dict[str, Value]
    at: datetime
    by_person: bool


@dataclass
class Database:
    """One side. `skew`: how far its clock is off. `knows_positions`:
    may a transaction ask where its write stands.
    """

    side: Side
    skew: timedelta
    knows_positions: bool
    rows: dict[str, dict[str, Value]] = field(default_factory=dict)
    log: list[Commit] = field(default_factory=list)
    captured: int = 0
    epoch: int = 1
    topic: list[Event] = field(default_factory=list)
    next_offset: int = 0
    modified_at: dict[str, datetime] = field(default_factory=dict)
    set_back_at: int = 0  # how many commits there were when its clock was set back
    rules: Rules = RULES  # the columns that its rows have, by the names of lines

    def clock(self, now: datetime) -> datetime:
        """Its own time, never the same twice for two commits."""
        at = now + self.skew
        since = self.log[self.set_back_at :]
        return max(at, since[-1].at + timedelta(microseconds=1)) if since else at

    def set_back(self, by: timedelta) -> None:
        """Its clock shows an earlier time from now on."""
        self.skew -= by
        self.set_back_at = len(self.log)

    def write(
        self,
        now: datetime,
        key: str,
        lines: dict[str, Value],
        *,
        by_person: bool,
    ) -> None:
        """Set some lines of a row, creating it if need be; one transaction."""
        is_new = key not in self.rows
        blank = self.rules.written(self.side, dict.fromkeys(self.rules.by_name))
        row = self.rows.setdefault(key, blank)
        made = {name: stored(self.side, name, value) for name, value in lines.items()}
        row.update(self.rules.written(self.side, made))
        self.modified_at[key] = self.clock(now)
        self._commit(
            now,
            key,
            Operation.CREATE if is_new else Operation.UPDATE,
            dict(row),
            by_person=by_person,
        )

    def delete(self, now: datetime, key: str) -> None:
        del self.rows[key]
        self._commit(now, key, Operation.DELETE, {}, by_person=True)

    def held(self, key: str) -> dict[str, Value]:
        """The row, line by line."""
        return self.rules.observed(self.side, self.rows[key])

    def after(self, epoch: int) -> str | None:
        """The log position inside the transaction that made the newest commit, after its write;
        the writer adds the epoch.
        """
        if not self.knows_positions:
            return None
        return f"{epoch:0{EPOCH_WIDTH}x}{10 * len(self.log) + 2:0{LSN_WIDTH}x}"

    def _commit(
        self,
        now: datetime,
        key: str,
        operation: Operation,
        image: dict[str, Value],
        *,
        by_person: bool,
    ) -> None:
        self.log.append(
            Commit(
                len(self.log) + 1,
                key,
                operation,
                image,
                self.clock(now),
                by_person,
            )
        )

    # -- Debezium ----------------------------------------------------------------------------------
    def capture(self, upto: int | None = None) -> None:
        """Bring commits into the topic."""
        for commit in self.log[self.captured : upto]:
            position = postgres_position(
                self.epoch,
                f'["{10 * commit.number + 7}","{10 * commit.number}"]',
            )
            self._publish(
                commit.key,
                commit.operation,
                commit.image,
                position,
                commit.at,
            )
        self.captured = len(self.log) if upto is None else max(self.captured, upto)

    def repeat(self, offset: int) -> None:
        """Publish a message once more, as a connector does after a crash."""
        event = self.topic[offset]
        self.topic.append(dataclasses.replace(event, place=self._place()))

    def read_all(self, now: datetime) -> None:
        """A snapshot: each row as it is now."""
        for key, row in self.rows.items():
            self._publish(key, Operation.READ, dict(row), "", self.clock(now))

    def capture_anew(self, now: datetime, streamed_again: int) -> list[Commit]:
        """The slot is lost and made anew: a snapshot, then the newest commits once more.
        Returns the commits that the snapshot
        showed first, or alone: when they were made is not known from it."""
        first = max(self.captured, len(self.log) - streamed_again)
        missed = self.log[self.captured :]
        self.epoch += 1
        self.read_all(now)
        self.captured = first
        return missed

    def _place(self) -> TopicOffset:
        return TopicOffset(1, 0, len(self.topic))

    def _publish(
        self,
        key: str,
        operation: Operation,
        image: dict[str, Value],
        position: str,
        at: datetime,
    ) -> None:
        self.topic.append(
            Event(
                TABLE[self.side],
                key,
                operation,
                image,
                position,
                self._place(),
                at,
                self.epoch,
            )
        )
