"""What a description of a target table, and of the route that writes it, must be like."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.mapping.table import CreateParent
from tests.support.tabs import MAPPING, PROJECT, TABS, TEAM


@pytest.mark.parametrize("column", ["WBS1", "WBS9"])
def test_a_fixed_column_is_one_of_the_table_beside_its_key(column: str) -> None:
    """Another would match nothing, or every row."""
    with pytest.raises(ValueError, match=f"PR has no columns {column} to fix"):
        replace(PROJECT, fixed=((column, " "),))


def test_no_route_makes_rows_that_are_others() -> None:
    """Neither as child rows nor for a reference."""
    theirs = (PROJECT, replace(TEAM, is_others=True))
    with pytest.raises(ValueError, match="the rows of EMProjectAssoc are others'"):
        replace(TABS, targets=theirs)
    parent = CreateParent("Memo", PROJECT.name, lambda *_: {})
    with pytest.raises(ValueError, match="the rows of PR are others'"):
        replace(TABS, mappings=(replace(MAPPING, parents=(parent,)),))
