"""Links and the conflict log: `sync.link` and `sync.conflict` of the DPS database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from pipeline.conflicts import codec, line_values
from pipeline.conflicts.conflict import Conflict
from pipeline.conflicts.conflict import Kind as ConflictKind
from pipeline.conflicts.known import known_as
from pipeline.conflicts.link import Link, State
from pipeline.conflicts.rules import Rule, Side
from pipeline.database.sql.dialect import Cells, Field, Fields, Lock, Merge, given
from pipeline.database.sql.session import Session, iso, number_of, shortened
from pipeline.errors import TargetMismatch
from pipeline.mapping.source import ColumnType
from pipeline.model.event import Value

_ID = (Field("id", ColumnType.SHORT_TEXT),)
_FIELDS: Fields = (
    Field("entity", ColumnType.SHORT_TEXT),
    Field("ajera_table", ColumnType.SHORT_TEXT),
    Field("ajera_key", ColumnType.SHORT_TEXT),
    Field("dps_table", ColumnType.SHORT_TEXT),
    Field("dps_key", ColumnType.SHORT_TEXT),
    Field("state", ColumnType.SHORT_TEXT),
    Field("version", ColumnType.INTEGER),
    Field("counts_for", ColumnType.SHORT_TEXT),
    Field("parked_lines", ColumnType.SHORT_TEXT),
    Field("ajera_epoch", ColumnType.INTEGER),
    Field("dps_epoch", ColumnType.INTEGER),
    Field("updated_at", ColumnType.INSTANT),
    Field("document", ColumnType.TEXT),
    Field("lines", ColumnType.SHORT_TEXT),
)
_CONFLICT: Fields = (
    Field("link", ColumnType.SHORT_TEXT),
    Field("entity", ColumnType.SHORT_TEXT),
    Field("line", ColumnType.SHORT_TEXT),
    Field("kind", ColumnType.SHORT_TEXT),
    Field("rule", ColumnType.SHORT_TEXT),
    Field("winner", ColumnType.SHORT_TEXT),
    Field("at", ColumnType.INSTANT),
    Field("ajera", ColumnType.TEXT),
    Field("dps", ColumnType.TEXT),
    Field("ajera_at", ColumnType.INSTANT),
    Field("dps_at", ColumnType.INSTANT),
)
LINES_LENGTH = 400


class Links:
    """Reads and writes links."""

    def __init__(self, session: Session, schema: str) -> None:
        self._session = session
        self._link = session.dialect.qualify(schema, "link")
        self._conflict = session.dialect.qualify(schema, "conflict")

    # -- links -------------------------------------------------------------------------------------

    def ids_of(self, side: Side, table: str, keys: Sequence[str]) -> dict[str, list[str]]:
        key, match = (
            f"{side}_key",
            (
                Field(f"{side}_table", ColumnType.SHORT_TEXT),
                Field(f"{side}_key", ColumnType.SHORT_TEXT),
            ),
        )
        sql = self._session.dialect.select(self._link, match, [key, "id", "updated_at"], Lock.NONE)
        answers = self._session.run("link", sql, [(table, key) for key in sorted(set(keys))])
        found: dict[str, list[str]] = {}
        for of, link, _ in sorted(answers, key=lambda answer: str(answer[2]), reverse=True):
            found.setdefault(str(of), []).append(str(link))
        return found

    def counterparts(self, entity: str, side: Side, keys: Sequence[str]) -> dict[str, str]:
        return {
            own: other
            for own, other, state, _ in self._halves(entity, side, keys)
            if state == State.LINKED and other is not None
        }

    def linked_ids(self, entity: str, side: Side, keys: Sequence[str]) -> dict[str, str]:
        return {
            own: one
            for own, _, state, one in self._halves(entity, side, keys)
            if state == State.LINKED
        }

    def linked_among(self, entity: str, side: Side, keys: Sequence[str]) -> set[str]:
        return {
            own for own, _, state, _ in self._halves(entity, side, keys) if state != State.ENDED
        }

    def _halves(
        self, entity: str, side: Side, keys: Sequence[str]
    ) -> list[tuple[str, str | None, str, str]]:
        """Of links that have not ended, under the condition of their unique index."""
        match = (
            Field("entity", ColumnType.SHORT_TEXT),
            Field(f"{side}_key", ColumnType.SHORT_TEXT),
        )
        columns = [f"{side}_key", f"{side.other}_key", "state", "id"]
        quote = self._session.dialect.quote
        live = f"t.{quote('state')} <> '{State.ENDED}' AND t.{quote(f'{side}_key')} IS NOT NULL"
        sql = self._session.dialect.select(self._link, match, columns, Lock.NONE, live)
        answers = self._session.run("link", sql, [(entity, key) for key in sorted(set(keys))])
        return [
            (
                str(own),
                None if other is None else str(other),
                str(state),
                str(one),
            )
            for own, other, state, one in answers
        ]

    def store(self, links: Sequence[tuple[Link, str | None]], now: datetime) -> None:
        rows = [
            self._row(link, counts_for, now)
            for link, counts_for in sorted(links, key=lambda pair: pair[0].id)
        ]
        merge = Merge(
            self._link,
            _ID,
            _FIELDS,
            tuple(given(field.name) for field in _FIELDS),
        )
        self._session.run("link", self._session.dialect.merge(merge), rows)

    def _row(self, link: Link, counts_for: str | None, now: datetime) -> Cells:
        parked = ",".join(sorted(link.parked))
        ajera, dps = link.ajera, link.dps
        return (
            *(link.id, link.entity, ajera.table, ajera.key, dps.table, dps.key),
            *(link.state, link.version, counts_for),
            shortened(self._session.dialect, parked, LINES_LENGTH),
            *(ajera.seen.epoch, dps.seen.epoch, now, codec.dump(link), known_as(link)),
        )

    def counted(self, entity: str, owners: Collection[str]) -> dict[str, int]:
        match = (
            Field("entity", ColumnType.SHORT_TEXT),
            Field("counts_for", ColumnType.SHORT_TEXT),
        )
        sql = self._session.dialect.scan(self._link, match, ["counts_for", "state"])
        answers = self._session.run("link", sql, [(entity, owner) for owner in sorted(set(owners))])
        counts = dict.fromkeys(owners, 0)
        for owner, state in answers:
            counts[str(owner)] += state != State.ENDED
        return counts

    def page_of_links(
        self,
        entity: str,
        side: Side,
        below_epoch: int,
        after: str,
        limit: int,
    ) -> list[str]:
        quote = self._session.dialect.quote
        answers = self._session.ask(
            "link",
            (
                f"SELECT {quote('id')} FROM {self._link} WHERE {quote('entity')} = :entity"
                f" AND {quote('state')} = :linked"
                f" AND {quote(f'{side}_epoch')} < :epoch AND {quote('id')} > :after"
                f" ORDER BY {quote('id')}"
                f" OFFSET 0 ROWS FETCH NEXT {limit:d} ROWS ONLY"
            ),
            entity=entity,
            linked=State.LINKED.value,
            epoch=below_epoch,
            after=after,
        )
        return [str(one) for (one,) in answers]

    def outdated_links(self, lines: Mapping[str, str], after: str, limit: int) -> dict[str, str]:
        """Any number of links is passed over by reading them; those found are few."""
        quote, parameters = self._session.dialect.quote, dict[str, Value]()
        conditions: list[str] = []
        for place, (entity, known) in enumerate(sorted(lines.items())):
            parameters |= {f"entity{place}": entity, f"lines{place}": known}
            conditions.append(
                f"{quote('entity')} = :entity{place} AND {quote('lines')} <> :lines{place}"
            )
        answers = self._session.ask(
            "link",
            f"SELECT {quote('id')}, {quote('entity')} FROM {self._link}"
            f" WHERE {quote('state')} = :linked AND {quote('id')} > :after"
            f" AND (({') OR ('.join(conditions)})) ORDER BY {quote('id')}"
            f" OFFSET 0 ROWS FETCH NEXT {limit:d} ROWS ONLY",
            linked=State.LINKED.value,
            after=after,
            **parameters,
        )
        return {str(one): str(entity) for one, entity in answers}

    def with_parked_lines(self, limit: int) -> list[str]:
        """Links that a person must decide lines of, the oldest first."""
        quote = self._session.dialect.quote
        answers = self._session.ask(
            "link",
            (
                f"SELECT {quote('id')} FROM {self._link} WHERE {quote('parked_lines')} <> ''"
                f" ORDER BY {quote('updated_at')}"
                f" OFFSET 0 ROWS FETCH NEXT {limit:d} ROWS ONLY"
            ),
        )
        return [str(one) for (one,) in answers]

    # -- the conflict log --------------------------------------------------------------------------

    def log(self, conflicts: Sequence[Conflict]) -> None:
        quote, names = (
            self._session.dialect.quote,
            [field.name for field in _CONFLICT],
        )
        columns = ", ".join(quote(name) for name in names)
        values = ", ".join(
            self._session.dialect.instant(f":{field.name}")
            if field.kind is ColumnType.INSTANT
            else f":{field.name}"
            for field in _CONFLICT
        )
        for one in conflicts:
            self._session.tell(
                "conflict",
                f"INSERT INTO {self._conflict} ({columns}) VALUES ({values})",
                link=one.link,
                entity=one.entity,
                line=one.column,
                kind=one.kind.value,
                rule=None if one.rule is None else one.rule.value,
                winner=None if one.winner is None else one.winner.value,
                at=iso(one.at),
                ajera=line_values.dump_value(one.ajera),
                dps=line_values.dump_value(one.dps),
                ajera_at=None if one.ajera_at is None else iso(one.ajera_at),
                dps_at=None if one.dps_at is None else iso(one.dps_at),
            )

    def logged(
        self,
        *,
        limit: int,
        link: str | None = None,
        number: int | None = None,
    ) -> list[tuple[int, Conflict]]:
        """Entries of the conflict log with their numbers, the newest first."""
        quote = self._session.dialect.quote
        names = ["number", *(field.name for field in _CONFLICT)]
        conditions = [f"{quote('link')} = :link"] if link is not None else []
        conditions += [f"{quote('number')} = :number"] if number is not None else []
        parameters: dict[str, Value] = {} if link is None else {"link": link}
        parameters |= {} if number is None else {"number": number}
        answers = self._session.ask(
            "conflict",
            f"SELECT {', '.join(quote(name) for name in names)} FROM {self._conflict}"
            f"{' WHERE ' if conditions else ''}{' AND '.join(conditions)}"
            f" ORDER BY {quote('number')} DESC"
            f" OFFSET 0 ROWS FETCH NEXT {limit:d} ROWS ONLY",
            **parameters,
        )
        return [(number_of(answer[0]), _conflict(answer[1:])) for answer in answers]


def _conflict(answer: Sequence[Value]) -> Conflict:
    link, entity, line, kind, rule, winner, at, ajera, dps, ajera_at, dps_at = answer
    logged_at = _instant(at)
    if logged_at is None:
        raise TargetMismatch("an entry of the conflict log has no time")
    return Conflict(
        link=str(link),
        entity=str(entity),
        column=None if line is None else str(line),
        kind=ConflictKind(str(kind)),
        rule=None if rule is None else Rule(str(rule)),
        winner=None if winner is None else Side(str(winner)),
        at=logged_at,
        ajera=line_values.load_value(str(ajera)),
        dps=line_values.load_value(str(dps)),
        ajera_at=_instant(ajera_at),
        dps_at=_instant(dps_at),
    )


def _instant(value: Value) -> datetime | None:
    return value if isinstance(value, datetime) else None
