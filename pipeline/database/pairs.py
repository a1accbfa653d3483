"""The two exchanged databases: transactions over links and DPS's rows,
and over intentions and Ajera's rows (port `Pairs`).
"""

from __future__ import annotations

from collections.abc import (
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine

from pipeline.conflicts import codec
from pipeline.conflicts.conflict import Conflict
from pipeline.conflicts.decision import Recorded
from pipeline.conflicts.line_values import Document
from pipeline.conflicts.link import Link, Seen
from pipeline.conflicts.rules import Side
from pipeline.database.sql.dialect import Field, Lock, Merge, given
from pipeline.database.sql.engine import dialect_of
from pipeline.database.sql.session import (
    ConnectedSession,
    Session,
    translated,
)
from pipeline.database.state.changed_links import ChangedLinks
from pipeline.database.state.halts import Halts
from pipeline.database.state.intentions import Intentions
from pipeline.database.state.links import Links
from pipeline.database.state.parked import Parked
from pipeline.database.state.progress import ProgressStore
from pipeline.database.state.schema import DEFAULT_SCHEMA
from pipeline.database.state.schema_links import AJERA_SCHEMA
from pipeline.database.state.stored_links import StoredLinks
from pipeline.database.state.unlinked import Unlinked
from pipeline.database.systems.rows import DatabaseRows, Names
from pipeline.mapping.source import ColumnType
from pipeline.model.ledger import Incarnation, Progress
from pipeline.model.position import TopicPartition
from pipeline.pairing.entity import ParkedWork
from pipeline.pairing.rows import Rows

LINKING = "linking"  # the setting whose row everybody locks who links or creates rows


@dataclass(frozen=True)
class DatabasePairs:
    """Both databases. Schemas are those of our own tables;
    the names say where the systems' tables are.
    """

    dps_engine: Engine
    ajera_engine: Engine
    dps_names: Names
    ajera_names: Names
    sync_schema: str = DEFAULT_SCHEMA
    ajera_schema: str = AJERA_SCHEMA

    @contextmanager
    def transaction(self) -> Iterator[DatabaseLinkTransaction]:
        with _session(self.dps_engine) as session:
            yield DatabaseLinkTransaction(session, self.sync_schema, self.dps_names)

    @contextmanager
    def ajera(self) -> Iterator[DatabaseAjeraTransaction]:
        with _session(self.ajera_engine) as session:
            yield DatabaseAjeraTransaction(session, self.ajera_schema, self.ajera_names)


@contextmanager
def _session(engine: Engine) -> Iterator[Session]:
    dialect = dialect_of(engine)
    with (
        translated(engine, "the transaction"),
        engine.begin() as connection,
    ):
        yield ConnectedSession(connection, dialect)


class DatabaseAjeraTransaction:
    """One transaction in the Ajera database."""

    def __init__(self, session: Session, schema: str, names: Names) -> None:
        self.rows: Rows = DatabaseRows(session, names)
        self._intentions = Intentions(session, schema)

    def take(self, intentions: Collection[str]) -> set[str]:
        return self._intentions.take(intentions)

    def recorded(self, intentions: Collection[str]) -> dict[str, Recorded]:
        return self._intentions.recorded(intentions)

    def record(self, outcomes: Mapping[str, tuple[str, Recorded]]) -> None:
        self._intentions.record(outcomes)

    def creators(self, table: str, keys: Sequence[str]) -> dict[str, str]:
        return self._intentions.creators(table, keys)


class DatabaseLinkTransaction:
    """One transaction in the DPS database."""

    def __init__(
        self,
        session: Session,
        schema: str,
        names: Names,
        *,
        is_rehearsal: bool = False,
    ) -> None:
        self._session = session
        self._schema = schema
        self._is_rehearsal = is_rehearsal
        self.rows: Rows = DatabaseRows(session, names)
        self._links = Links(session, schema)
        self._documents = StoredLinks(session, schema)
        self._changed = ChangedLinks(session, schema)
        self._parked = Parked(session, schema)
        self._unlinked = Unlinked(session, schema)
        self._positions = ProgressStore(session, schema)
        self.halts = Halts(session, schema)

    def ids_of(self, side: Side, table: str, keys: Sequence[str]) -> dict[str, list[str]]:
        return self._links.ids_of(side, table, keys)

    def links(self, ids: Collection[str]) -> dict[str, Link]:
        return self.opened(self._documents.documents(ids).values())

    def documents(self, ids: Collection[str]) -> dict[str, str]:
        return self._documents.documents(ids)

    def opened(self, texts: Iterable[str]) -> dict[str, Link]:
        found = {link.id: link for link in map(codec.load, texts)}
        self._changed.read(found.values())
        return found

    def rewrite(self, documents: Sequence[tuple[Document, str]]) -> None:
        self._documents.rewrite(documents, datetime.now(UTC))

    def counterparts(self, entity: str, side: Side, keys: Sequence[str]) -> dict[str, str]:
        return self._links.counterparts(entity, side, keys)

    def linked_ids(self, entity: str, side: Side, keys: Sequence[str]) -> dict[str, str]:
        return self._links.linked_ids(entity, side, keys)

    def linked_among(self, entity: str, side: Side, keys: Sequence[str]) -> set[str]:
        return self._links.linked_among(entity, side, keys)

    def store(self, links: Sequence[tuple[Link, str | None]]) -> None:
        now = datetime.now(UTC)
        self._links.store(links, now)
        self._changed.stored((link for link, _ in links), now)

    def counted(self, entity: str, owners: Collection[str]) -> dict[str, int]:
        return self._links.counted(entity, owners)

    def page_of_links(
        self,
        entity: str,
        side: Side,
        below_epoch: int,
        after: str,
        limit: int,
    ) -> list[str]:
        return self._links.page_of_links(entity, side, below_epoch, after, limit)

    def outdated_links(self, lines: Mapping[str, str], after: str, limit: int) -> dict[str, str]:
        return self._links.outdated_links(lines, after, limit)

    def log(self, conflicts: Sequence[Conflict]) -> None:
        self._links.log(conflicts)

    def logged(
        self,
        *,
        limit: int,
        link: str | None = None,
        number: int | None = None,
    ) -> list[tuple[int, Conflict]]:
        return self._links.logged(limit=limit, link=link, number=number)

    def with_parked_lines(self, limit: int) -> list[str]:
        return self._links.with_parked_lines(limit)

    def park(self, parked: Sequence[ParkedWork], now: datetime) -> None:
        self._parked.park(parked, now)

    def unpark(self, ids: Collection[str]) -> None:
        self._parked.unpark(ids)

    def wake(self, waited_for: Collection[str]) -> None:
        self._parked.wake(waited_for)

    def due(self, limit: int, tried_before: datetime) -> list[ParkedWork]:
        return self._parked.due(limit, tried_before)

    def unlinked(self, ids: Collection[str]) -> dict[str, Seen]:
        return self._unlinked.read(ids)

    def store_unlinked(self, seen: Mapping[str, Seen]) -> None:
        self._unlinked.store(seen)

    def hold_linking(self) -> None:
        if self._is_rehearsal:
            return
        name = (Field("name", ColumnType.SHORT_TEXT),)
        dialect = self._session.dialect
        setting = dialect.qualify(self._schema, "setting")
        insert = dialect.insert_missing(setting, name, (Field("value", ColumnType.TEXT),))
        self._session.run("setting", insert, [(LINKING, "")])
        self._session.run(
            "setting",
            dialect.select(setting, name, ["name"], Lock.UPDATE),
            [(LINKING,)],
        )

    def remember(self, name: str, value: str) -> None:
        key, field = (
            (Field("name", ColumnType.SHORT_TEXT),),
            Field("value", ColumnType.TEXT),
        )
        merge = Merge(
            self._session.dialect.qualify(self._schema, "setting"),
            key,
            (field,),
            (given("value"),),
        )
        self._session.run("setting", self._session.dialect.merge(merge), [(name, value)])

    def epochs(self) -> dict[Side, tuple[int, int]]:
        return self._parked.epochs()

    def set_epoch(self, side: Side, seen: int, swept: int) -> None:
        self._parked.set_epoch(side, seen, swept)

    def waiting_count(self) -> int:
        return self._parked.count()

    def progress(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Progress]:
        return self._positions.progress(partitions)

    def advance(
        self, progress: Mapping[TopicPartition, Progress], now: datetime
    ) -> dict[TopicPartition, int]:
        return self._positions.advance(progress, now)

    def incarnations(self, topic: str) -> dict[int, Incarnation]:
        return self._positions.incarnations(topic)

    def incarnation(self, topic: str, topic_id: str, partitions: int) -> int:
        return self._positions.incarnation(topic, topic_id, partitions)
