"""Halts and skips of the twins, as `pipeline.database.state.halts` keeps them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from pipeline.errors import PipelineError
from pipeline.model.halt import Halt, Skip, SkippedMessage
from tests.twins.tables import Key, Session, Table, View


@dataclass
class HaltTables:
    """The committed rows."""

    halted: Table[Halt] = field(default_factory=lambda: Table("halted"))
    skips: Table[Skip] = field(default_factory=lambda: Table("skip"))
    skipped: Table[SkippedMessage] = field(default_factory=lambda: Table("skipped_message"))


class Halts:
    """Reads and writes halts and skips."""

    def __init__(self, session: Session, tables: HaltTables) -> None:
        self._session = session
        self._halted = View(session, tables.halted)
        self._skips = View(session, tables.skips)
        self._skipped = View(session, tables.skipped)

    def halted(self) -> list[Halt]:
        with self._statement("halted"):
            return sorted((one for _, one in self._halted.items()), key=lambda one: one.place)

    def halt(self, halts: Sequence[Halt]) -> None:
        with self._statement("halt"):
            for one in halts:
                there = self._halted.claim((one.place,))
                if there and _why(there) == _why(one):
                    self._halted.put((one.place,), replace(one, since=there.since))
                else:
                    self._halted.put((one.place,), one)

    def lift(self, places: Collection[str]) -> None:
        with self._statement("lift"):
            for place in sorted(set(places)):
                if self._halted.claim((place,)) is not None:
                    self._halted.delete((place,))

    def skips(self) -> list[Skip]:
        with self._statement("skips"):
            return sorted((one for _, one in self._skips.items()), key=_range)

    def skip(self, skips: Sequence[Skip]) -> None:
        with self._statement("skip"):
            for one in skips:
                self._skips.claim(_range(one))
                self._skips.put(_range(one), one)

    def forget_skips(self, skips: Collection[Skip]) -> None:
        with self._statement("forget_skips"):
            for one in sorted(skips, key=_range):
                if self._skips.claim(_range(one)) is not None:
                    self._skips.delete(_range(one))

    def note_skipped(self, skipped: Sequence[SkippedMessage], now: datetime) -> None:
        del now
        with self._statement("note_skipped"):
            for one in skipped:
                if self._skipped.claim(_message(one)) is None:
                    self._skipped.put(_message(one), one)

    def skipped(self) -> list[SkippedMessage]:
        with self._statement("skipped"):
            return sorted((one for _, one in self._skipped.items()), key=_message)

    def forget_skipped(self, skipped: Collection[SkippedMessage]) -> None:
        with self._statement("forget_skipped"):
            for one in sorted(skipped, key=_message):
                if self._skipped.claim(_message(one)) is not None:
                    self._skipped.delete(_message(one))

    @contextmanager
    def _statement(self, name: str) -> Iterator[None]:
        self._session.statement(name)
        try:
            yield
        except PipelineError:
            self._session.is_spoiled = True
            raise


def _why(halt: Halt) -> tuple[int | None, int | None, str]:
    return halt.incarnation, halt.offset, halt.code


def _range(skip: Skip) -> Key:
    return (skip.partition.topic, skip.partition.partition, skip.first)


def _message(skipped: SkippedMessage) -> Key:
    place = skipped.partition
    return (place.topic, skipped.incarnation, place.partition, skipped.offset)
