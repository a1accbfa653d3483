"""A mapping's lines as one function give what the general way gives, or leave the root to it."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from pipeline.domain.codes import CODES, GROUP
from pipeline.domain.pim import ENGAGEMENT
from pipeline.domain.pim_mirror import MIRRORED
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.errors import ValueRefused
from pipeline.mapping.apply import Built, build
from pipeline.mapping.fit import fit
from pipeline.mapping.lines import built_at_once, lines_of
from pipeline.mapping.neighbours import Graph
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType, SourceColumn
from pipeline.mapping.table import Kept, Related, TableMapping
from pipeline.model.event import Value
from pipeline.model.ledger import LedgerRow

SOURCES = {table.name: table for table in MIRRORED}
TABLES = ("AxVec", "AxProject", "AxInvoiceGroup", "AxResource")
TEXTS = ("", " ", "a", " Ωmega\t", "b\x00", "\U0001f600", "Ölpreis 3", "R-1", "r-1")
REFERENCES = ("prjProject", "igProject", "left_igProject", "resProject", "left_resProject")
KEYS = 4


def random_value(chance: random.Random, column: SourceColumn) -> Value:
    if column.name in REFERENCES or column.kind is ColumnType.INTEGER:
        return None if chance.random() < 0.2 else chance.randint(0, KEYS + 1)
    if column.kind is ColumnType.FLAG:
        return chance.random() < 0.8
    if chance.random() < 0.1:
        return None
    return chance.choice(TEXTS) * chance.choice((1, 1, 1, 30, 120))


def random_row(chance: random.Random, table: str, key: int) -> LedgerRow:
    source = SOURCES[table]
    values = {one.name: random_value(chance, one) for one in source.mirrored()}
    values[source.table.key[0]] = key
    if table == "AxProject":
        values["prjStatus"] = chance.choice((1, 1, 2, 99))
        typed = values["project_id"] = chance.choice((None, "R-1", "r-1", "R-2"))
        values[GROUP] = None if typed is None else typed.lower()
    names = [one.name for one in source.mirrored() if one.name not in source.table.key]
    is_retired = chance.random() < 0.15
    return LedgerRow(
        table,
        str(key),
        values,
        deleted=is_retired and chance.random() < 0.5,
        unknown=frozenset(chance.sample(names, 2)) if chance.random() < 0.15 else frozenset(),
        retired_at=str(chance.randint(1, 9)) if is_retired else "",
        changed_at=str(chance.randint(0, 9)),
    )


def random_graph(chance: random.Random) -> Graph:
    """Some rows of each table, found by their keys and by what leads to a project."""
    unknown = frozenset({("AxInvoiceGroup", "igProject")}) if chance.random() < 0.1 else frozenset()
    graph = Graph(Site(), SOURCES, unknown_columns=unknown)
    for table in TABLES:
        keys = [key for key in range(1, KEYS + 1) if chance.random() < 0.8]
        rows = [random_row(chance, table, key) for key in keys]
        graph.add(rows)
        for path in ENGAGEMENT.paths:
            if path.table == table and path.to == "AxProject":
                graph.add_by_column(path.column, table, rows)
                graph.add_by_column(path.left, table, rows)
        if table == "AxProject":
            graph.add_by_column(CODES.column, table, [r for r in rows if r.values[GROUP]])
    return graph


def generally(
    mapping: TableMapping, root: LedgerRow, graph: Graph, loaded: frozenset[str]
) -> Built:
    """As `build` and `fit` give it; raises ValueRefused, also where a value is made to fit."""
    built = build(mapping, root, graph, loaded)
    fitted = fit(AJERA_TO_PIM.target(mapping.target), built.row, graph.site, utf16=True)
    if fitted.done:
        raise ValueRefused("does not fit")
    return built


def test_a_root_is_built_at_once_as_the_general_way_builds_it() -> None:
    """Of random rows, retired and partly unknown ones, with rows that are missing, unknown or not
    loaded; where a value would have to be made to fit, there is none.
    """
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance, counts = random.Random(seed), Counter[str]()
    table = AJERA_TO_PIM.target(ENGAGEMENT.target)
    for _ in range(1_500):
        graph = random_graph(chance)
        loaded = frozenset(one for one in TABLES if chance.random() < 0.9)
        lines = lines_of(ENGAGEMENT, table, loaded, utf16=True)
        for root in graph.rows.get("AxProject", {}).values():
            try:
                found = built_at_once(ENGAGEMENT, root, graph, loaded, lines)
                expected = generally(ENGAGEMENT, root, graph, loaded)
            except ValueRefused:
                assert found is None
                counts["refused"] += 1
                continue
            if found is None:
                counts["left"] += 1
                continue
            counts["at once"] += 1
            assert (found.row, found.children) == (expected.row, expected.children)
            assert [(one.table, one.key) for one in found.missing] == [
                (one.table, one.key) for one in expected.missing
            ]
            assert found.fits
    assert min(counts["at once"], counts["left"], counts["refused"]) > 100


@pytest.mark.parametrize("column", ["prjNotes", "prjStatus", "project_id"])
def test_a_root_of_which_a_column_is_unknown_is_left_to_the_general_way(column: str) -> None:
    """An unknown value is no null."""
    chance, loaded = random.Random(1), frozenset(TABLES)
    row = random_row(chance, "AxProject", 1)
    root = LedgerRow("AxProject", "1", {**row.values, "prjStatus": 1}, unknown=frozenset({column}))
    lines = lines_of(ENGAGEMENT, AJERA_TO_PIM.target(ENGAGEMENT.target), loaded, utf16=False)
    graph = Graph(Site(), SOURCES)
    assert built_at_once(ENGAGEMENT, root, graph, loaded, lines) is None


def test_a_value_for_the_making_of_a_row_is_left_to_the_general_way() -> None:
    """A row that is there keeps what it holds."""
    line = Related("Name", (), "kept", lambda _: Kept("kept"))
    mapping = replace(ENGAGEMENT, lines=(line,), children=())
    loaded = frozenset(TABLES)
    lines = lines_of(mapping, AJERA_TO_PIM.target(mapping.target), loaded, utf16=False)
    root = LedgerRow("AxProject", "1", {"prjKey": 1})
    assert built_at_once(mapping, root, Graph(Site(), SOURCES), loaded, lines) is None
