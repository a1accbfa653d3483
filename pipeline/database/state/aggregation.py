"""Values over many mirrored rows, computed by the database: one statement for all lines whose rows
are reached along the same way.

It groups the rows by the reference that leads to them. Where that is not the root's own key, the
rows between are read first, and the groups of each root are put together here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal

from pipeline.database.sql.aggregated import AggregatedRows
from pipeline.database.sql.dialect import Cells, Field
from pipeline.database.sql.session import Session, number_of, stored
from pipeline.database.state.between import UNKNOWN, Between, referring
from pipeline.database.state.ledger import Mirror
from pipeline.database.state.schema import LEDGER_KEY, mirror_name
from pipeline.mapping.aggregate import (
    Aggregate,
    AggregateGroups,
    Function,
    Where,
    WhereRelated,
    combined,
    is_look_up,
)
from pipeline.mapping.path import Path
from pipeline.mapping.source import ColumnType
from pipeline.mapping.table import Groups
from pipeline.model.event import Value

Held = tuple[Value, ...]  # what the rows of a group hold
Partial = dict[str, tuple[Value, bool]]  # by target column: a value, and whether it can be known


class Aggregation:
    """Computes aggregate lines."""

    def __init__(self, session: Session, mirrors: Mapping[str, Mirror]) -> None:
        self._session = session
        self._mirrors = mirrors

    def aggregated(
        self, lines: Sequence[Aggregate], keys: Sequence[str]
    ) -> dict[str, dict[str, Value]]:
        found: dict[str, dict[str, Value]] = {key: {} for key in keys}
        ways: dict[tuple[Path, ...], list[Aggregate]] = {}
        between = Between(self._session, self._mirrors, keys)
        for line in lines:
            ways.setdefault(line.along, []).append(line)
        for along, some in ways.items():
            references, unsure = between.of(along)
            rows = self._rows(along, some, {one for key in keys for one in references[key]})
            for key in set(keys) - unsure:
                parts = [part for one in references[key] for _, part in rows.get(one, ())]
                for line in some:
                    if all(part[line.target][1] for part in parts):
                        values = [part[line.target][0] for part in parts]
                        found[key][line.target] = combined(line.function, values)
        return found

    def grouped(
        self, groups: Sequence[AggregateGroups], keys: Sequence[str]
    ) -> dict[str, dict[str, Groups]]:
        found: dict[str, dict[str, Groups]] = {key: {} for key in keys}
        between = Between(self._session, self._mirrors, keys)
        for one in groups:
            references, unsure = between.of(one.along)
            wanted = {name for key in keys for name in references[key]}
            rows = self._rows(one.along, one.whole, wanted, one.by)
            for key in set(keys) - unsure:
                parts = [part for name in references[key] for part in rows.get(name, ())]
                if all(is_known for _, part in parts for _, is_known in part.values()):
                    found[key][one.name] = _put_together(one, parts)
        return found

    def _rows(
        self,
        along: tuple[Path, ...],
        lines: Sequence[Aggregate],
        references: Set[str],
        by: tuple[str, ...] = (),
    ) -> dict[str, list[tuple[Held, Partial]]]:
        """By reference what its rows give for each line, in each group of them."""
        mirror, quote = self._mirrors[lines[0].table], self._session.dialect.quote
        match = LEDGER_KEY if is_look_up(along) else mirror.field(along[-1].column)
        terms = _LineTerms(self._session, mirror, self._mirrors, by)
        expressions = [term for line in lines for term in terms.of(line)]
        sql = self._session.dialect.grouped(
            match,
            AggregatedRows(
                table=mirror.table,
                only_if=_is_there("t", quote),
                joins=terms.joins,
                held=terms.held,
                parts=terms.parts,
                by=by,
                expressions=expressions,
            ),
        )
        values: Sequence[Value] = sorted(references)
        if not is_look_up(along):
            values = referring(self._mirrors, along[-1], sorted(references))
        rows: list[Cells] = [(value,) for value in values]
        place = mirror_name(mirror.source.name)
        answers = self._session.run(place, sql, rows, **terms.parameters)
        found: dict[str, list[tuple[Held, Partial]]] = {}
        fields = tuple(mirror.field(name) for name in by)
        for reference, *cells in answers:
            held = tuple(stored(fields, tuple(cells[: len(by)])).values())
            part = terms.read(lines, cells[len(by) :])
            found.setdefault(str(reference), []).append((held, part))
        return found


def _is_there(alias: str, quote: Callable[[str], str]) -> str:
    """Is the row not deleted: nothing is less than ''. By an equality a planner that has no
    statistics of a table would take one row in two hundred for there, and choose plans for few.
    """
    return f"{alias}.{quote('retired_at')} <= ''"


def _put_together(groups: AggregateGroups, parts: Sequence[tuple[Held, Partial]]) -> Groups:
    """The groups of a root from those of each reference; without those that have no row, unless
    there is one group of all rows.
    """
    some: dict[Held, list[Partial]] = {} if groups.by else {(): []}
    for held, part in parts:
        if None not in held and part[""][0]:
            some.setdefault(held, []).append(part)
    return {
        held: {
            line.target: combined(line.function, [part[line.target][0] for part in of])
            for line in groups.lines
        }
        for held, of in some.items()
    }


@dataclass
class _LineTerms:
    """Aggregate lines as expressions over the rows `t`, with the constants of their conditions; and
    what these read: by name what it is in the tables.
    """

    session: Session
    mirror: Mirror
    mirrors: Mapping[str, Mirror]
    by: tuple[str, ...]
    aliases: dict[Path, str] = field(default_factory=dict)
    parameters: dict[str, Value] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.held.update((name, self._stored("t", name)) for name in self.by)

    def of(self, line: Aggregate) -> tuple[str, str]:
        """The value, and whether a column that it reads is unknown in one of the rows."""
        value = self._part(line)
        if line.where:
            conditions = " AND ".join(self._holds(where) for where in line.where)
            value = f"CASE WHEN {conditions} THEN {value} END"
        followed = set() if is_look_up(line.along) else {line.along[-1].column}
        read = [("t", name) for name in sorted(line.reads | followed | {*self.by})]
        read += [(self._alias(one.path), one.column) for one in line.related]
        if line.function is Function.COUNT:
            return f"COALESCE(SUM({value}), 0)", self._is_unsure(read)
        return f"{line.function.upper()}({value})", self._is_unsure(read)

    @property
    def joins(self) -> str:
        """The rows that conditions ask for, each found by its key; a deleted one is none."""
        quote, found = self.session.dialect.quote, ""
        for path, alias in self.aliases.items():
            kind = self.mirror.field(path.column).kind
            key = self.session.dialect.as_key(self._stored("t", path.column), kind)
            found += (
                f" LEFT JOIN {self.mirrors[path.to].table} AS {alias}"
                f" ON {alias}.{quote(LEDGER_KEY.name)} = {key}"
                f" AND {_is_there(alias, quote)}"
            )
        return found

    def read(self, lines: Sequence[Aggregate], cells: Cells) -> Partial:
        """The answers to these expressions."""
        values = zip(lines, cells[::2], cells[1::2], strict=True)
        return {
            line.target: (
                self._value(line, value),
                not number_of(is_unsure),
            )
            for line, value, is_unsure in values
        }

    def _value(self, line: Aggregate, found: Value) -> Value:
        kind = ColumnType.INTEGER
        if line.function is not Function.COUNT:
            kind = self.mirror.field(line.column).kind
        if found is None:
            return None
        match kind:
            case ColumnType.INTEGER:
                return number_of(found)
            case ColumnType.DECIMAL:
                return Decimal(str(found))
            case _:
                return stored((Field(line.target, kind),), (found,))[line.target]

    def _alias(self, path: Path) -> str:
        return self.aliases.setdefault(path, f"w{len(self.aliases)}")

    def _stored(self, alias: str, name: str) -> str:
        return f"{alias}.{self.session.dialect.quote(name)}"

    def _column(self, alias: str, name: str) -> str:
        """A column of a table, in an expression over rows that were added up."""
        called = name if alias == "t" else f"{name} of {alias}"
        return self._named(self.held, self._stored(alias, name), called)

    def _part(self, line: Aggregate) -> str:
        """What the line makes of rows that are alike."""
        if line.function is Function.COUNT:
            return self._named(self.parts, "COUNT(*)", "count of rows")
        part = f"{line.function.upper()}({self._stored('t', line.column)})"
        return self._named(self.parts, part, f"{line.function} of {line.column}")

    def _named(self, names: dict[str, str], stored: str, called: str) -> str:
        names[called] = stored
        return self._stored("t", called)

    def _holds(self, where: Where | WhereRelated) -> str:
        if isinstance(where, Where):
            return self._is_among(self._column("t", where.column), where.values)
        alias = self._alias(where.path)
        is_there = f"CASE WHEN {self._stored(alias, LEDGER_KEY.name)} IS NULL THEN 0 ELSE 1 END"
        held = self._is_among(self._column(alias, where.column), where.values)
        wanted = 0 if where.is_not else 1
        is_held = f"{self._named(self.held, is_there, f'{alias} is there')} = 1 AND {held}"
        return f"CASE WHEN {is_held} THEN 1 ELSE 0 END = {wanted}"

    def _is_among(self, column: str, values: Sequence[Value]) -> str:
        names = [f":{self._parameter(value)}" for value in values if value is not None]
        found = [f"{column} IN ({', '.join(names)})"] if names else []
        found += [f"{column} IS NULL"] if None in values else []
        return f"({' OR '.join(found)})"

    def _parameter(self, value: Value) -> str:
        """One for all conditions that name the same value: true is not 1."""
        for name, known in self.parameters.items():
            if (type(known), known) == (type(value), value):
                return name
        name = f"v{len(self.parameters)}"
        self.parameters[name] = value
        return name

    def _is_unsure(self, read: Sequence[tuple[str, str]]) -> str:
        """Is one of these columns unknown, by the alias of its table."""
        any_of = " OR ".join(
            f"CONCAT(',', {self._column(alias, UNKNOWN)}, ',')"
            f" LIKE '%,{name.replace('_', '!_')},%' ESCAPE '!'"
            for alias, name in read
        )
        if not any_of:
            return "0"
        some = " OR ".join(f"{self._column(alias, UNKNOWN)} <> ''" for alias in dict(read))
        return f"MAX(CASE WHEN ({some}) AND ({any_of}) THEN 1 ELSE 0 END)"
