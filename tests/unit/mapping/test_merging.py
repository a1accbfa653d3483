"""Mappings of one target row as one: what is computed together is written once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.mapping.aggregate import Aggregate, AggregateGroups, Function
from pipeline.mapping.merging import merged
from pipeline.mapping.path import Path
from pipeline.mapping.table import Column, TableMapping
from tests.support.linked import LINKED, MAPPING, REPORT
from tests.support.sheets import SHEETS_ROUTE

ALONG = (Path("AxInvoiceGroup", "igProject", "AxProject"),)


def groups(*targets: str, by: tuple[str, ...] = ()) -> AggregateGroups:
    lines = tuple(Aggregate(name, Function.COUNT, ALONG) for name in targets)
    return AggregateGroups("groups", ALONG, by, lines)


def tab(name: str, *targets: str, grouped: AggregateGroups | None = None) -> TableMapping:
    """A part of the report of a project."""
    return replace(
        MAPPING,
        name=name,
        entity=name,
        lines=tuple(Column("prjDescription", target) for target in targets),
        children=(),
        grouped=() if grouped is None else (grouped,),
    )


def test_parts_of_one_row_are_one_mapping_with_the_lines_of_each() -> None:
    """And what they read of groups is read once."""
    first = tab("a", "Name", grouped=groups("x", "y"))
    second = tab("b", "Groups", grouped=groups("y", "z"))
    (one,) = merged([first, second])
    assert one.name == "AxProject to Project Report"
    assert [line.target for line in one.lines] == ["Name", "Groups"]
    assert [[line.target for line in of.lines] for of in one.grouped] == [["x", "y", "z"]]
    assert one.parts == (first, second)


def test_mappings_of_different_rows_stay_apart() -> None:
    """Clients and vendors fill one table, each its own rows."""
    assert merged(AJERA_TO_PIM.mappings) == AJERA_TO_PIM.mappings
    closed = replace(tab("b", "Groups"), only_if="is_closed")
    assert len(merged([tab("a", "Name"), closed])) == 2


def test_two_parts_cannot_fill_one_column() -> None:
    """Whichever came last would win."""
    with pytest.raises(ValueError, match="a, b: several of them fill Name"):
        merged([tab("a", "Name"), tab("b", "Name")])


def test_two_parts_cannot_call_different_groups_by_one_name() -> None:
    """A line would read the other's."""
    other = tab("b", "Groups", grouped=groups("x", by=("igClient",)))
    with pytest.raises(ValueError, match="groups: the name of different groups"):
        merged([tab("a", "Name", grouped=groups("x")), other])


def test_a_part_that_is_switched_off_later_is_no_part_any_more() -> None:
    """A route that was narrowed once can be narrowed again."""
    route = replace(LINKED, mappings=(tab("a", "Name"), tab("b", "Groups")))
    whole = route.only(frozenset("ab"))
    assert (whole.entities, len(whole.mappings)) == (("a", "b"), 1)
    assert whole.only(frozenset("b")).mappings == (tab("b", "Groups"),)


def test_a_table_of_others_needs_no_column_that_nobody_fills() -> None:
    """A firm without a tab may lack its columns; of a table of our own it may not."""
    theirs = replace(REPORT, is_others=True)
    route = replace(
        LINKED,
        mappings=(tab("a", "Name"),),
        targets=tuple(theirs if one is REPORT else one for one in LINKED.targets),
    )
    kept = route.only(frozenset("a")).target(REPORT.name)
    assert [one.name for one in kept.columns] == [*REPORT.key, "Name"]
    of_ours = SHEETS_ROUTE.only(frozenset(SHEETS_ROUTE.entities)).targets
    assert of_ours == SHEETS_ROUTE.targets
