"""Progress, incarnations and loading of the twin,
as `pipeline.database.state.progress` and `.loads` keep them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from pipeline.database.state.added import WHOLE_TABLE
from pipeline.mapping.mirror import MirroredTable
from pipeline.model.ledger import Incarnation, Progress
from pipeline.model.position import TopicPartition
from tests.twins.locks import Strength
from tests.twins.tables import Session, Table, View

LoadState = Literal["unknown", "reading"]


@dataclass(frozen=True, slots=True)
class Classification:
    """A partition's progress, and up to where a snapshot is read."""

    progress: Progress
    load_until: int | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """A table loaded in `epoch` (0: never),
    being read in `reading_epoch` of an incarnation of its topic.
    """

    topic: str
    epoch: int = 0
    reading_epoch: int = 0
    reading_incarnation: int = 0


@dataclass(frozen=True, slots=True)
class Numbered:
    """An incarnation of a topic."""

    topic: str
    seen: Incarnation


@dataclass
class PositionTables:
    """The committed rows."""

    progress: Table[Classification] = field(default_factory=lambda: Table("progress"))
    incarnations: Table[Numbered] = field(default_factory=lambda: Table("incarnation"))
    loads: Table[Load] = field(default_factory=lambda: Table("source_table"))
    # Columns and tables that were added, with the epoch in which their snapshot is read.
    added: dict[tuple[str, str], int] = field(default_factory=dict)


class ProgressStore:
    """Reads and writes next offsets, incarnations, and the state of loading."""

    def __init__(
        self,
        session: Session,
        tables: PositionTables,
        sources: Sequence[MirroredTable],
    ) -> None:
        self._session = session
        self._sources = [source.name for source in sources]
        self._progress = View(session, tables.progress)
        self._incarnations = View(session, tables.incarnations)
        self._loads = View(session, tables.loads)
        self._added = tables.added

    def progress(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Progress]:
        self._session.statement("progress")
        found = {
            one: self._progress.get((one.topic, one.partition)) for one in sorted(set(partitions))
        }
        return {one: reading.progress for one, reading in found.items() if reading is not None}

    def advance(
        self, progress: Mapping[TopicPartition, Progress], now: datetime
    ) -> dict[TopicPartition, int]:
        del now
        if not progress:
            return {}
        self._session.statement("advance")
        read: dict[TopicPartition, int] = {}
        for place, one in sorted(progress.items()):
            key = (place.topic, place.partition)
            there = self._progress.claim(key)
            new = Classification(one) if there is None else _advanced(there, one)
            self._progress.put(key, new)
            read[place] = new.progress.events_read
        return read

    def incarnations(self, topic: str) -> dict[int, Incarnation]:
        self._session.statement("incarnations")
        return self._seen(topic)

    def incarnation(self, topic: str, topic_id: str, partitions: int) -> int:
        self._session.statement("incarnation")
        wanted = Incarnation(topic_id, partitions)
        if wanted not in self._seen(topic).values():
            self._session.lock("incarnation", (), Strength.UPDATE)
        if wanted not in self._seen(topic).values():
            newest = max(
                (int(number) for (number,), _ in self._incarnations.items()),
                default=0,
            )
            self._incarnations.put((newest + 1,), Numbered(topic, wanted))
        return next(number for number, seen in self._seen(topic).items() if seen == wanted)

    def loaded(self) -> frozenset[str]:
        self._session.statement("loaded")
        if len(found := self._loaded()) == len(self._sources):
            return found
        self._hold()
        self._session.statement("loaded")
        return self._loaded()

    def _hold(self) -> None:
        self._session.statement("hold_table")
        self._session.lock("source_table", (), Strength.HOLD)

    def unknown_columns(self) -> frozenset[tuple[str, str]]:
        if not self._unknown():
            return frozenset()
        self._hold()
        self._session.statement("unknown_columns")
        return self._unknown()

    def _unknown(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            one for one, epoch in self._added.items() if self._load(one[0]).epoch < epoch
        )

    def loading(self, epoch: int) -> dict[str, LoadState]:
        self._session.statement("loading")
        behind = [
            name
            for name in self._sources
            if self._load(name).epoch < epoch and epoch >= self._added.get((name, WHOLE_TABLE), 0)
        ]
        return {
            name: "reading" if self._is_reading(self._load(name), epoch) else "unknown"
            for name in behind
        }

    def reloaded(self, table: str, incarnation: int) -> int:
        self._session.statement("reloaded")
        load = self._load(table)
        return load.reading_epoch if load.reading_incarnation == incarnation else 0

    def set_load_ends(self, topic: str, table: str, epoch: int, ends: Mapping[int, int]) -> None:
        self._session.statement("set_load_ends")
        self._session.lock("source_table", (), Strength.WRITE)
        load = self._loads.claim((table,)) or Load(topic)
        self._loads.put((table,), load)
        if load.epoch >= epoch or self._is_reading(load, epoch):
            return
        incarnation = self._newest(topic)[0]
        self._loads.put((table,), Load(topic, load.epoch, epoch, incarnation))
        for partition, end in sorted(ends.items()):
            there = self._progress.claim((topic, partition))
            held = Progress(incarnation, 0) if there is None else there.progress
            offset = held.next_offset if held.incarnation == incarnation else 0
            moved = replace(held, incarnation=incarnation, next_offset=offset)
            self._progress.put((topic, partition), Classification(moved, end))

    def read_to_end(self) -> dict[str, int]:
        self._session.statement("read_to_end")
        loads = {name: self._load(name) for name in self._sources}
        return {
            name: load.reading_epoch
            for name, load in loads.items()
            if self._is_reading(load, load.epoch + 1) and self._is_read(load)
        }

    def set_loaded(self, table: str, epoch: int) -> bool:
        self._session.statement("set_loaded")
        self._session.lock("source_table", (), Strength.WRITE)
        load = self._loads.lock((table,), Strength.CHANGE)
        if load is None or load.epoch >= epoch:
            return False
        self._loads.put((table,), replace(load, epoch=epoch))
        return True

    def _loaded(self) -> frozenset[str]:
        return frozenset(name for name in self._sources if self._load(name).epoch > 0)

    def _load(self, table: str) -> Load:
        return self._loads.get((table,)) or Load("")

    def _is_reading(self, load: Load, epoch: int) -> bool:
        return (
            load.reading_epoch >= max(epoch, 1)
            and load.reading_incarnation == self._newest(load.topic)[0]
        )

    def _is_read(self, load: Load) -> bool:
        found = {
            number: self._progress.get((load.topic, number))
            for number in range(self._newest(load.topic)[1])
        }
        return all(
            one is not None
            and one.load_until is not None
            and one.progress.incarnation == load.reading_incarnation
            and one.progress.next_offset >= one.load_until
            for one in found.values()
        )

    def _newest(self, topic: str) -> tuple[int, int]:
        return max(
            ((number, seen.partitions) for number, seen in self._seen(topic).items()),
            default=(0, 0),
        )

    def _seen(self, topic: str) -> dict[int, Incarnation]:
        return {
            int(number): one.seen
            for (number,), one in self._incarnations.items()
            if one.topic == topic
        }


def _advanced(there: Classification, more: Progress) -> Classification:
    """Counts are added; a load end of another incarnation says nothing of this one."""
    was = there.progress
    counts = {
        name: getattr(was, name) + getattr(more, name)
        for name in (
            "events_read",
            "written",
            "skipped",
            "parked",
            "dead_lettered",
        )
    }
    is_kept = was.incarnation in (0, more.incarnation)
    return Classification(replace(more, **counts), there.load_until if is_kept else None)
