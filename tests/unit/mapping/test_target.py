"""What a description of a target table, and of the route that writes it, must be like."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pipeline.mapping.table import CreateParent
from tests.support.tabs import MAPPING, PROJECT, TABS, TEAM


@pytest.mark.parametrize("column", ["WBS1", "WBS9"])
def test_a_fixed_column_is_one_of_the_table_beside_its_key(column: str) -> None:
    """Another would match nothing, or every row."""
    with pytest.raises(ValueError, match=f"PR has no columns {column} to fix"):
        replace(PROJECT, fixed=((column, " "),))


@pytest.mark.parametrize("column", ["WBS1", "WBS2", "WBS9"])
def test_an_id_is_a_column_of_the_table_beside_key_and_fixed_ones(column: str) -> None:
    """Else it would tell no row from another."""
    with pytest.raises(ValueError, match=f"EMProjectAssoc has no column {column} that tells"):
        replace(TEAM, row_id=column)


def test_the_id_of_a_row_that_we_make_is_32_hex_digits_that_its_key_gives() -> None:
    """Whoever makes it, and whenever; another for each key, and for each fixed value."""
    one = TEAM.made_id(("P-1", "7", "Lead"))
    assert one == TEAM.made_id(["P-1", "7", "Lead"])
    assert re.fullmatch("[0-9a-f]{32}", one)
    others = {
        TEAM.made_id(("P-17", "", "Lead")),
        replace(TEAM, fixed=(("WBS2", "1"), ("WBS3", " "))).made_id(("P-1", "7", "Lead")),
    }
    assert len(others | {one}) == 3


def test_rows_that_are_told_by_an_id_are_child_rows_that_are_taken_over() -> None:
    """And only these can be."""
    (child,) = MAPPING.children
    with pytest.raises(ValueError, match="rows of EMProjectAssoc taken over by an id"):
        replace(TABS, mappings=(replace(MAPPING, children=(replace(child, adopts=False),)),))
    without = replace(TEAM, row_id="")
    with pytest.raises(ValueError, match="rows of EMProjectAssoc taken over by an id"):
        replace(TABS, targets=(PROJECT, without), observed=())


def test_a_route_reads_back_the_same_tables_whatever_is_switched_on() -> None:
    """Else a topic that is captured for it would have no reader, and its lag would grow."""
    topics = [one.table.name for one in TABS.observed]
    off = TABS.only(frozenset())
    assert [one.table.name for one in off.observed] == topics
    assert [one.name for one in off.observed[0].table.columns] == ["WBS1", "WBS2", "WBS3"]


def test_no_route_makes_rows_that_are_others() -> None:
    """Neither as child rows nor for a reference."""
    theirs = (PROJECT, replace(TEAM, is_others=True))
    with pytest.raises(ValueError, match="the rows of EMProjectAssoc are others'"):
        replace(TABS, targets=theirs, observed=())
    parent = CreateParent("Memo", PROJECT.name, lambda *_: {})
    with pytest.raises(ValueError, match="the rows of PR are others'"):
        replace(TABS, mappings=(replace(MAPPING, parents=(parent,)),))
