"""Child rows that we made in the target: the only ones that we change and delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from hashlib import sha256

import orjson

from pipeline.database.sql.dialect import Field, Lock
from pipeline.database.sql.session import Session
from pipeline.database.systems.target_tables import TargetTables
from pipeline.mapping.source import ColumnType
from pipeline.mapping.target import TargetRow
from pipeline.model.outcome import RowCounts

TARGET_TABLE, PARENT_KEY, ROW_HASH, ROW_KEY = (
    Field("target_table", ColumnType.SHORT_TEXT),
    Field("parent_key", ColumnType.SHORT_TEXT),
    Field("row_hash", ColumnType.SHORT_TEXT),
    Field("row_key", ColumnType.TEXT),
)


class OwnedRows:
    """Child rows that we made, by `sync.owned_row`, replaced as a set for each parent."""

    def __init__(self, session: Session, schema: str, targets: TargetTables) -> None:
        self._session = session
        self._targets = targets
        self._owned = session.dialect.qualify(schema, "owned_row")

    def replace_children(self, table: str, wanted: Mapping[str, Sequence[TargetRow]]) -> RowCounts:
        """Ours that are not wanted go first,
        since the database may take an old spelling of a key for the new one.

        A row that is there already and is not ours stays somebody else's, with its values.
        Removed rows count as changed.
        """
        asked = {(parent, row.key): row for parent, rows in wanted.items() for row in rows}
        ours = self._owned_by(table, sorted(wanted))
        gone = ours - asked.keys()
        if gone:
            self._targets.delete(table, [key for _, key in gone])
            sql = self._session.dialect.delete(self._owned, (TARGET_TABLE, PARENT_KEY, ROW_HASH))
            rows = [(table, parent, hash_of(key)) for parent, key in gone]
            self._session.run("owned_row", sql, sorted(rows))
        created = self._targets.insert_children(table, [*asked.values()]) if asked else set()
        new = {place for place in asked if place[1] in created}
        there = [row for place, row in asked.items() if place in ours - new]
        changed = self._targets.change_children(table, there)
        self._remember(table, new - ours)
        return RowCounts(
            created=len(new),
            changed=len(gone) + changed,
            unchanged=len(asked) - len(new) - changed,
        )

    def _remember(self, table: str, new: Set[tuple[str, tuple[str, ...]]]) -> None:
        sql = self._session.dialect.insert_missing(
            self._owned,
            (TARGET_TABLE, PARENT_KEY, ROW_HASH),
            (ROW_KEY,),
        )
        cells = [(table, parent, hash_of(key), json_of(key)) for parent, key in new]
        self._session.run("owned_row", sql, sorted(cells))

    def _owned_by(self, table: str, parents: Sequence[str]) -> set[tuple[str, tuple[str, ...]]]:
        sql = self._session.dialect.select(
            self._owned,
            (TARGET_TABLE, PARENT_KEY),
            ["parent_key", "row_key"],
            Lock.UPDATE,
        )
        answers = self._session.run("owned_row", sql, [(table, parent) for parent in parents])
        return {(str(parent), tuple(orjson.loads(str(key)))) for parent, key in answers}


def hash_of(key: tuple[str, ...]) -> str:
    return sha256(json_of(key).encode()).hexdigest()


def json_of(key: tuple[str, ...]) -> str:
    return orjson.dumps(key).decode()
