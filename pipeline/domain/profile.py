"""Does a site profile name only what the mappings know, and nothing twice:
a misspelt name would change nothing, silently.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pipeline.decoding.naming import field_name
from pipeline.domain import ajera, exchange_tables
from pipeline.domain.exchange import ENTITIES
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site, TableNames, TargetNames
from pipeline.pairing.route import ExchangeRoute


def name_faults(routes: Sequence[Route | ExchangeRoute], site: Site) -> Iterator[str]:
    """A line for each name of the profile that no mapping knows,
    and for each that names two things.
    """
    sources = _sources(routes)
    targets = {
        table.name: [*table.by_name()]
        for route in routes
        if isinstance(route, Route)
        for table in route.targets
    }
    yield from _side("source", sources, site.source)
    yield from _side("target", targets, site.target)
    lines = {f"{entity.name}.{pair.name}" for entity in ENTITIES for pair in entity.rules.pairs}
    yield from (_unknown(f"rules.{name}", name, lines) for name in site.rules if name not in lines)
    yield from _keys(site)
    yield from _twice("source", map(site.source_table, sources))
    yield from _twice("target", map(site.target_table, targets))
    for table, columns in sources.items():
        yield from _twice(
            f"source.{table}.columns",
            (field_name(site.source_column(table, one)) for one in columns),
        )
    for table, columns in targets.items():
        yield from _twice(
            f"target.{table}.columns", (site.target_column(table, one) for one in columns)
        )


def _sources(routes: Sequence[Route | ExchangeRoute]) -> dict[str, list[str]]:
    """Columns of every table that is read, or written in Ajera or DPS, by table."""
    found: dict[str, dict[str, None]] = {}
    read = (table for route in routes for tables in route.reads.values() for table in tables)
    for table in (*read, ajera.AX_PROJECT_CONTACT, exchange_tables.AX_TRANSACTION):
        found.setdefault(table.name, {}).update(
            dict.fromkeys(column.name for column in table.columns)
        )
    written = (one for one in routes if isinstance(one, Route) and one.into)
    for target in (table for route in written for table in route.targets):
        found.setdefault(target.name, {}).update(dict.fromkeys(target.by_name()))
    for listed in exchange_tables.CODE_LISTS:
        for one in (listed.ajera, listed.dps):
            if one is not None:
                names = (one.code, one.description, *((one.only_if,) if one.only_if else ()))
                found.setdefault(one.table, {}).update(dict.fromkeys(names))
    for fill in exchange_tables.FILLS:
        if fill.source:
            found.setdefault(fill.source, {}).update(
                dict.fromkeys((fill.where, *(source for source, _ in fill.copied)))
            )
        found[fill.into].update(dict.fromkeys(into for _, into in fill.copied))
    return {table: list(columns) for table, columns in found.items()}


def _keys(site: Site) -> Iterator[str]:
    """A table in which we create no row needs no key;
    two that share a row of the key table would share their keys.
    """
    if site.keys is None:
        return
    created = [table.name for table in exchange_tables.CREATED_IN_AJERA]
    yield from (
        _unknown(f"keys.names.{name}", name, created)
        for name in site.keys.names
        if name not in created
    )
    yield from _twice("keys.names", map(site.name_in_key_table, created))


def _side(
    side: str, known: Mapping[str, Collection[str]], names: Mapping[str, TableNames]
) -> Iterator[str]:
    for table, given in names.items():
        if table not in known:
            yield _unknown(f"{side}.{table}", table, known)
            continue
        policies = given.policies if isinstance(given, TargetNames) else {}
        for part, columns in (("columns", given.columns), ("policies", policies)):
            for column in columns:
                if column not in known[table]:
                    yield _unknown(f"{side}.{table}.{part}.{column}", column, known[table])


def _unknown(place: str, name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"{place}: no mapping knows it{f'; did you mean {near[0]}?' if near else '.'}"


def _twice(place: str, names: Iterable[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{place}: {count} things are called {name}."
