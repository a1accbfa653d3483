"""The rights that the route needs."""

from __future__ import annotations

import sqlglot

from pipeline.database.systems.grants import (
    EVERYTHING,
    QUERIES,
    READ_AND_CHANGE,
    READ_AND_WRITE,
    rights_on_target,
)
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.mapping.site import Site, TargetNames
from tests.support.tabs import TABS


def test_rows_may_be_deleted_only_where_a_mapping_replaces_them_as_a_set() -> None:
    """By this site's names."""
    rights = rights_on_target(
        AJERA_TO_PIM,
        Site(target={"Project_Contact": TargetNames(name="people")}),
    )
    assert {table for table, wanted in rights.items() if wanted == EVERYTHING} == {"people"}
    assert {wanted for table, wanted in rights.items() if table != "people"} == {READ_AND_WRITE}
    assert len(rights) == len(AJERA_TO_PIM.targets)


def test_no_row_is_made_or_deleted_where_rows_are_others() -> None:
    """A project of DPS is changed alone; its team is ours, too."""
    assert rights_on_target(TABS, Site()) == {
        "PR": READ_AND_CHANGE,
        "EMProjectAssoc": EVERYTHING,
    }


def test_the_question_parses_as_t_sql() -> None:
    """What can be known without a server."""
    assert sqlglot.parse_one(QUERIES["mssql"], read="tsql")
