"""Tables in memory: what is committed, what one transaction changed, and what it holds locked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pipeline.errors import TargetRefused
from tests.twins.locks import Locks, Strength
from tests.twins.turns import Turns

R = TypeVar("R")
Key = tuple[str | int, ...]


class Table(Generic[R]):
    """The committed rows of a table, by key. `fold` gives the form in which keys are compared."""

    def __init__(self, name: str, fold: Callable[[str], str] | None = None) -> None:
        self.name = name
        self.rows: dict[Key, R] = {}
        self._fold = fold

    def key(self, *parts: str | int) -> Key:
        if self._fold is None:
            return parts
        return tuple(self._fold(part) if isinstance(part, str) else part for part in parts)


@dataclass(frozen=True, slots=True)
class Change(Generic[R]):
    """One committed change of a row: None before it was there, None after it is gone."""

    table: str
    key: Key
    before: R | None
    after: R | None


class Committable(Protocol):
    """A view that can be committed."""

    def commit(self) -> None: ...


class Session:
    """One transaction: its locks, its statements, its views. An error of a statement spoils it,
    as in a database.
    """

    def __init__(self, number: int, locks: Locks, turns: Turns) -> None:
        self.locks = locks
        self.views: list[Committable] = []
        self.is_spoiled = False
        self._number = number
        self._turns = turns

    def statement(self, name: str) -> None:
        """A statement begins. Raises TargetRefused after one that failed."""
        if self.is_spoiled:
            raise TargetRefused("the transaction has failed already")
        self._turns.reached(name)

    def lock(self, table: str, what: Key, strength: Strength) -> None:
        self.locks.acquire(self._number, (table, what), strength)

    def commit(self) -> None:
        """All views become visible at once."""
        with self.locks.changed:
            for view in self.views:
                view.commit()

    def release(self) -> None:
        self.locks.release(self._number)


class View(Generic[R]):
    """A table as one transaction sees it: committed rows under its own changes."""

    def __init__(
        self,
        session: Session,
        table: Table[R],
        committed: Callable[[Change[R]], None] = lambda _: None,
    ) -> None:
        self._session = session
        self.table = table
        self._committed = committed
        self._changes: dict[Key, list[R | None]] = {}  # every image in turn, for the log
        session.views.append(self)

    def get(self, key: Key) -> R | None:
        """The row as of now."""
        if key in self._changes:
            return self._changes[key][-1]
        with self._session.locks.changed:
            return self.table.rows.get(key)

    def items(self) -> Iterator[tuple[Key, R]]:
        """All rows as of now, in the order of their keys."""
        with self._session.locks.changed:
            rows: dict[Key, R | None] = dict(self.table.rows)
        rows |= {key: images[-1] for key, images in self._changes.items()}
        for key in sorted(rows, key=repr):
            row = rows[key]
            if row is not None:
                yield key, row

    def lock(self, key: Key, strength: Strength) -> R | None:
        """The row once it is locked, or None:
        a row that is not there when the statement begins is not waited for.
        """
        if self.get(key) is None:
            return None
        self._session.lock(self.table.name, key, strength)
        return self.get(key)

    def claim(self, key: Key) -> R | None:
        """The row, once nobody else can insert or change it."""
        self._session.lock(self.table.name, key, Strength.CHANGE)
        return self.get(key)

    def put(self, key: Key, row: R) -> None:
        """Insert or change a row that was claimed or locked."""
        self._changes.setdefault(key, []).append(row)

    def delete(self, key: Key) -> None:
        """Delete a row that was locked for update."""
        self._changes.setdefault(key, []).append(None)

    def commit(self) -> None:
        for key, images in self._changes.items():
            for image in images:
                before = self.table.rows.pop(key, None)
                if image is not None:
                    self.table.rows[key] = image
                if before != image:
                    self._committed(Change(self.table.name, key, before, image))
