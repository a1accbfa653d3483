"""A reader's half of following links: the tables of an exchange in the same database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from pipeline.conflicts import codec
from pipeline.conflicts.conflict import about_owned
from pipeline.conflicts.link import State
from pipeline.conflicts.rules import Side
from pipeline.database.sql.dialect import Field, Lock
from pipeline.database.sql.session import Session
from pipeline.database.state.links import Links
from pipeline.mapping.observed import PutBackValue
from pipeline.mapping.source import ColumnType

_ID = (Field("id", ColumnType.SHORT_TEXT),)
_READER = Field("reader", ColumnType.SHORT_TEXT)
_ENTITY = Field("entity", ColumnType.SHORT_TEXT)
_KEY = Field("key", ColumnType.SHORT_TEXT)
_SIDE = Field("side", ColumnType.SHORT_TEXT)


class LinkedKeys:
    """Reads links for one reader, which has the rows of one side. `schema`: the exchange's."""

    def __init__(self, session: Session, schema: str, reader: str, side: Side) -> None:
        self._session = session
        self._name = reader
        self._side = side
        self._link, self._reader, self._change = (
            session.dialect.qualify(schema, table)
            for table in ("link", "link_reader", "link_change")
        )
        self._log = Links(session, schema)

    def follow(self, entities: Collection[str]) -> frozenset[str]:
        """Links are locked before it is asked who follows them already: whoever stores one until
        then has committed, and whoever stores one after that finds us.
        """
        if self._followed() == frozenset(entities):
            return frozenset()
        dialect = self._session.dialect
        self._session.tell("link", dialect.lock_table(self._link))
        followed = self._followed()
        insert = dialect.insert_missing(self._reader, (_READER, _ENTITY), (_SIDE,))
        new = sorted({*entities} - followed)
        self._session.run(
            "link_reader", insert, [(self._name, one, self._side.value) for one in new]
        )
        over = [(self._name, one) for one in sorted(followed - {*entities})]
        for place, table in (("link_reader", self._reader), ("link_change", self._change)):
            self._session.run(place, dialect.delete(table, (_READER, _ENTITY)), over)
        return frozenset(new)

    def take(self, limit: int) -> list[tuple[str, str]]:
        """Removing a change waits for whoever is writing it once more; one that somebody else has
        taken meanwhile is taken twice.
        """
        quote = self._session.dialect.quote
        answers = self._session.ask(
            "link_change",
            f"SELECT {quote('entity')}, {quote('key')} FROM {self._change}"
            f" WHERE {quote('reader')} = :reader ORDER BY {quote('entity')}, {quote('key')}"
            f" OFFSET 0 ROWS FETCH NEXT {limit:d} ROWS ONLY",
            reader=self._name,
        )
        changed = sorted((str(entity), str(key)) for entity, key in answers)
        sql = self._session.dialect.delete(self._change, (_READER, _ENTITY, _KEY))
        self._session.run("link_change", sql, [(self._name, *one) for one in changed])
        return changed

    def given(self, entity: str, keys: Sequence[str], *, is_locked: bool) -> dict[str, str]:
        """Found first, then locked in the order of their ids, as the exchange locks them, and read
        as they are then. A lock that others could share would not do: the exchange writes rows of
        DPS between locking a link and storing it. Where they need not stay as they are, they are
        read as they are committed: of who changes them the change is kept.
        """
        dialect = self._session.dialect
        match = (_ENTITY, Field(f"{self._side}_key", ColumnType.SHORT_TEXT))
        state, key = (f"t.{dialect.quote(name)}" for name in ("state", f"{self._side}_key"))
        live = f"{state} <> '{State.ENDED}' AND {key} IS NOT NULL"
        wanted = "id" if is_locked else "document"
        find = dialect.select(self._link, match, [wanted], Lock.NONE, live)
        answers = self._session.run("link", find, [(entity, one) for one in sorted(set(keys))])
        if is_locked:
            lock = dialect.select(self._link, _ID, ["document"], Lock.UPDATE)
            answers = self._session.run("link", lock, sorted(answers))
        found = (codec.load(str(document)).exchanged for (document,) in answers)
        return {of[self._side]: of[self._side.other] for of in found if of is not None}

    def log_put_back(self, entity: str, edits: Sequence[PutBackValue], now: datetime) -> None:
        dialect = self._session.dialect
        own = f"{self._side}_key"
        match = (_ENTITY, Field(own, ColumnType.SHORT_TEXT))
        live = f"t.{dialect.quote('state')} <> '{State.ENDED}'"
        find = dialect.select(self._link, match, [own, "id"], Lock.NONE, live)
        keys = sorted({edit.root[1] for edit in edits})
        answers = self._session.run("link", find, [(entity, key) for key in keys])
        links = {str(key): str(link) for key, link in answers}
        self._log.log(
            [
                about_owned(links[key], entity, edit.column, edit.given, edit.typed, now)
                for edit in edits
                if (key := edit.root[1]) in links
            ]
        )

    def _followed(self) -> frozenset[str]:
        sql = self._session.dialect.select(self._reader, (_READER,), ["entity"], Lock.NONE)
        answers = self._session.run("link_reader", sql, [(self._name,)])
        return frozenset(str(entity) for (entity,) in answers)
