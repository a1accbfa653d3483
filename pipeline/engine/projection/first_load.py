"""Telling how far a first load is, which may take hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.engine.consumer.ports import Attempt, Clock, Messages, Target, Telemetry
from pipeline.model.load import LoadProgress
from pipeline.model.position import TopicPartition

TELL_SECONDS = 30.0


class FirstLoad:
    """Tells every half minute how far all consumers together have read the tables that are not
    loaded. `topics`: by table.
    """

    def __init__(
        self,
        topics: Mapping[str, str],
        messages: Messages,
        target: Target,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._topics = topics
        self._messages = messages
        self._target = target
        self._telemetry = telemetry
        self._clock = clock
        self._told: tuple[float, LoadProgress] | None = None

    def tell(self, tables: Iterable[str], attempt: Attempt) -> None:
        now = self._clock.monotonic()
        if self._told is not None and now - self._told[0] < TELL_SECONDS:
            return
        names = tuple(sorted(tables))
        read, there = attempt(lambda: self._read(names))
        found = LoadProgress(names, read, there, self._rate(names, read, now))
        self._told = now, found
        self._telemetry.first_load(found)

    def _read(self, tables: Iterable[str]) -> tuple[int, int]:
        """Messages of these tables that were read, of those that are there now."""
        ends = {
            TopicPartition(topic, number): end
            for topic in (self._topics[table] for table in tables)
            for number, end in self._messages.end_offsets(topic).items()
        }
        with self._target.transaction() as transaction:
            known = transaction.progress(ends)
        return sum(min(one.next_offset, ends[place]) for place, one in known.items()), sum(
            ends.values()
        )

    def _rate(self, tables: tuple[str, ...], read: int, now: float) -> float | None:
        """Since it was told last, of the same tables."""
        if self._told is None or self._told[1].tables != tables:
            return None
        at, last = self._told
        return (read - last.read) / (now - at)
