"""The mappings as they stand in the code, with this site's names: what the vendor's page says, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.domain.routes import AJERA_TO_PIM, Route
from pipeline.mapping.site import Site
from pipeline.mapping.table import ChildRows, Column, Derived, Line, Prefilled, Related, TableMapping


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line: where the value comes from, in words, where it goes, when it is written, how it is made to fit, a note."""

    source: str
    target: str
    written: str
    fit: str
    note: str


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


def shown(site: Site, entity: str | None = None, route: Route = AJERA_TO_PIM) -> tuple[ShownTable, ...]:
    """Every mapping table, or those of one entity."""
    return tuple(_table(mapping, site) for mapping in route.mappings if entity in (None, mapping.entity))


def entities(route: Route = AJERA_TO_PIM) -> list[str]:
    return sorted({mapping.entity for mapping in route.mappings})


def _table(mapping: TableMapping, site: Site) -> ShownTable:
    return ShownTable(
        name=mapping.name,
        entity=mapping.entity,
        source=site.source_table(mapping.source),
        target=site.target_table(mapping.target),
        only_if=mapping.only_if or "every row",
        lines=tuple(_lines(mapping, site)),
        note=mapping.note,
    )


def _lines(mapping: TableMapping, site: Site) -> Iterator[ShownLine]:
    key = site.target_column(mapping.target, mapping.key.target)
    yield ShownLine(_words(mapping.key, mapping, site), key, "key", "", mapping.key.note)
    for line in mapping.lines:
        written = "at creation" if isinstance(line, Prefilled) else "always"
        yield ShownLine(
            _words(line, mapping, site),
            site.target_column(mapping.target, line.target),
            written,
            _fit(mapping, line.target, site),
            line.note,
        )
    for child in mapping.children:
        yield _child(child, site)


def _child(child: ChildRows, site: Site) -> ShownLine:
    return ShownLine(child.words, f"rows of {site.target_table(child.target)}", "as a set, ours only", "", child.note)


def _words(line: Line, mapping: TableMapping, site: Site) -> str:
    match line:
        case Column(source=source):
            return site.source_column(mapping.source, source)
        case Derived(expression=expression):
            return expression.words
        case Prefilled(words=words) | Related(words=words):
            return words


def _fit(mapping: TableMapping, column: str, site: Site) -> str:
    policy = site.policy(mapping.target, column)
    return f"too long: {policy.too_long.value}, letters: {policy.unencodable.value}, empty: {policy.null.value}"
