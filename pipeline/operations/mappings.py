"""The mappings as they stand in the code, with this site's names: what the vendor's page says,
line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.mapping.aggregate import Aggregate
from pipeline.mapping.route import Route
from pipeline.mapping.site import ColumnPolicy, Site
from pipeline.mapping.source import SourceTable
from pipeline.mapping.table import (
    ChildRows,
    Column,
    CreateOnly,
    Derived,
    Line,
    LinkedKey,
    Related,
    TableMapping,
)


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line: where the value comes from, in words, where it goes, when it is written,
    how it is made to fit, a note.

    `assumptions` are the numbers in `docs/assumptions.md` that it rests on.
    """

    source: str
    target: str
    written: str
    fit: str
    note: str
    assumptions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A mapping table in this site's names; `only_if` says in words which source rows it takes."""

    name: str
    entity: str
    source: str
    target: str
    only_if: str
    lines: tuple[ShownLine, ...]
    note: str


NOTHING_BEFORE = "'' + "  # a key without a prefix


def shown(site: Site, route: Route, entity: str | None = None) -> tuple[ShownTable, ...]:
    """Every mapping table of the route, or those of one entity."""
    return tuple(
        _Shower(mapping, route, site).table()
        for mapping in route.mappings
        if entity in (None, mapping.entity)
    )


class _Shower:
    """Tells one mapping in one site's names."""

    def __init__(self, mapping: TableMapping, route: Route, site: Site) -> None:
        self._mapping = mapping
        self._route = route
        self._site = site
        self._source = route.source(mapping.source)
        self._columns = dict(_columns(route.reads[route.source_system], site))

    def table(self) -> ShownTable:
        mapping, site = self._mapping, self._site
        return ShownTable(
            name=mapping.name,
            entity=mapping.entity,
            source=site.source_table(mapping.source),
            target=site.target_table(mapping.target),
            only_if=self._named(self._condition(mapping.only_if)),
            lines=tuple(self._lines()),
            note=mapping.note,
        )

    def _lines(self) -> Iterator[ShownLine]:
        yield self._line(self._mapping.key, "key", "")
        yield from self._fixed()
        for line in self._mapping.lines:
            yield self._line(
                line,
                "at creation" if isinstance(line, CreateOnly) else "always",
                self._fit(line.target),
            )
        for child in self._mapping.children:
            yield self._child(child)
            yield from self._child_values(child)

    def _line(self, line: Line | LinkedKey, written: str, fit: str) -> ShownLine:
        place = (self._mapping.name, line.target)
        assumed = self._route.assumed.get(place)
        words = self._words(line) if assumed is None else assumed(self._site.assumptions)
        target = self._site.target_column(self._mapping.target, line.target)
        return ShownLine(
            self._named(words),
            target,
            written,
            fit,
            self._named(line.note),
            self._route.rests_on.get(place, ()),
        )

    def _fixed(self) -> Iterator[ShownLine]:
        """The columns that hold one value in every row that is written."""
        for column, value in self._route.target(self._mapping.target).fixed:
            target = self._site.target_column(self._mapping.target, column)
            words = "one blank" if value == " " else f"'{value}'"
            yield ShownLine(words, target, "key", "", "other rows are left alone", ())

    def _child(self, child: ChildRows) -> ShownLine:
        target = f"rows of {self._site.target_table(child.target)}"
        rests_on = self._route.rests_on.get((self._mapping.name, child.target), ())
        return ShownLine(
            self._named(child.words),
            target,
            "as a set, ours only",
            "",
            self._named(child.note),
            rests_on,
        )

    def _child_values(self, child: ChildRows) -> Iterator[ShownLine]:
        table = self._site.target_table(child.target)
        for column, words in child.values:
            policy = self._site.policy(child.target, column)
            yield ShownLine(
                self._named(words),
                f"{table}: {self._site.target_column(child.target, column)}",
                "with its row",
                _fit(policy),
                "",
                (),
            )

    def _words(self, line: Line | LinkedKey) -> str:
        match line:
            case Column(source=source):
                return source if source in self._columns else self._remembered(source)
            case Derived(expression=expression):
                return expression.words.removeprefix(NOTHING_BEFORE)
            case CreateOnly(words=words) | Related(words=words):
                return words
            case Aggregate() | LinkedKey():
                return line.words

    def _condition(self, flag: str | None) -> str:
        """Which rows are taken, in words."""
        if flag is None:
            return "every row"
        return f"{flag} is set" if flag in self._columns else self._remembered(flag)

    def _remembered(self, name: str) -> str:
        """What a remembered value is, in words."""
        return next(one.note for one in self._source.remembered if one.name == name)

    def _named(self, words: str) -> str:
        """The words with this site's names of source columns, which are written as whole words."""
        return re.sub(
            r"\w+",
            lambda found: self._columns.get(found[0], found[0]),
            words,
        )

    def _fit(self, column: str) -> str:
        return _fit(self._site.policy(self._mapping.target, column))


def _fit(policy: ColumnPolicy) -> str:
    """What a column's policies do, in words."""
    return (
        f"too long: {policy.too_long.value}, letters: {policy.unencodable.value},"
        f" empty: {policy.null.value}"
    )


def _columns(sources: tuple[SourceTable, ...], site: Site) -> Iterator[tuple[str, str]]:
    """Each source column's canonical name, which no two tables share, and this site's."""
    for table in sources:
        for column in table.columns:
            yield column.name, site.source_column(table.name, column.name)
