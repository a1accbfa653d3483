"""The rights that the route needs."""

from __future__ import annotations

import sqlglot

from pipeline.database.systems.grants import (
    EVERYTHING,
    QUERIES,
    READ_AND_WRITE,
    rights_on_target,
)
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.mapping.site import Site, TargetNames


def test_rows_may_be_deleted_only_where_a_mapping_replaces_them_as_a_set() -> None:
    """By this site's names."""
    rights = rights_on_target(
        AJERA_TO_PIM,
        Site(target={"Project_Contact": TargetNames(name="people")}),
    )
    assert {table for table, wanted in rights.items() if wanted == EVERYTHING} == {"people"}
    assert {wanted for table, wanted in rights.items() if table != "people"} == {READ_AND_WRITE}
    assert len(rights) == len(AJERA_TO_PIM.targets)


def test_the_question_parses_as_t_sql() -> None:
    """What can be known without a server."""
    assert sqlglot.parse_one(QUERIES["mssql"], read="tsql")
