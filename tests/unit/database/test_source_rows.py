"""Rows of a source, chosen by keys, as SQL of either database."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlglot

from pipeline.database.sql.dialect import Dialect
from pipeline.database.sql.postgres import Postgres
from pipeline.database.sql.sqlserver import SqlServer
from pipeline.database.systems import heartbeat, signals
from pipeline.database.systems.source_rows import by_keys
from pipeline.domain.ajera import AX_VEC
from pipeline.errors import UsageError
from pipeline.mapping.site import Site, TableNames
from pipeline.mapping.source import ColumnType, SourceTable, columns

SITE = Site(source={"AxVec": TableNames(name="Ax Vec", columns={"vecKey": "vec]Key"})})
WBS = SourceTable("PR", ("WBS1", "WBS2"), columns(ColumnType.TEXT, "WBS1", "WBS2"))


def test_keys_of_one_column_are_listed_by_the_sites_name() -> None:
    """As numbers; what a person reads has none of them."""
    chosen = by_keys(SqlServer(), SITE, AX_VEC, ["17", "3"])
    assert (chosen.what, chosen.condition) == ("2 keys", "[vec]]Key] IN (17, 3)")
    assert by_keys(Postgres(), Site(), AX_VEC, ["3"]).condition == '"vecKey" IN (3)'


def test_keys_of_several_columns_are_compared_part_by_part() -> None:
    """A bar, a per cent sign and a quote in a value are themselves."""
    chosen = by_keys(SqlServer(), Site(), WBS, ["O'Neil|a%7Cb"])
    assert chosen.condition == "([WBS1] = N'O''Neil' AND [WBS2] = N'a|b')"
    two = by_keys(Postgres(), Site(), WBS, ["1|2", "3|4"]).condition
    assert two == ("""("WBS1" = '1' AND "WBS2" = '2') OR ("WBS1" = '3' AND "WBS2" = '4')""")


@pytest.mark.parametrize(
    ("table", "key"), [(AX_VEC, "x' OR 1=1"), (WBS, "only-one"), (WBS, "a|b|c")]
)
def test_a_key_that_is_none_of_the_table_is_refused_without_its_text(
    table: SourceTable, key: str
) -> None:
    """It would choose other rows, or none."""
    with pytest.raises(UsageError) as refused:
        by_keys(SqlServer(), Site(), table, [key])
    assert key not in str(refused.value)


@pytest.mark.parametrize("creation", [signals.creation, heartbeat.creation])
def test_a_table_of_our_own_is_created_in_t_sql_where_it_is_missing(
    creation: Callable[[Dialect, str, str], tuple[str, ...]],
) -> None:
    """Each statement does nothing the second time; names are quoted, also within texts."""
    statements = creation(SqlServer(), "o'dd", "sig]nal")
    for statement in statements:
        condition, _, does = statement.partition(" EXEC")
        assert "IS NULL" in condition or "NOT EXISTS" in condition
        if does.startswith("("):  # sqlglot knows no EXEC of a text
            assert does == "(N'CREATE SCHEMA [o''dd]')"
        else:
            whole = f"EXEC{does}" if does else statement
            assert None not in sqlglot.parse(whole, read="tsql")
    assert "N'o''dd'" in statements[2]


def test_a_heartbeat_is_one_row_that_is_written_again_in_t_sql() -> None:
    """Whoever created the table put it there; a row more would be a row of an unknown age."""
    statement = heartbeat.beat(SqlServer(), "o'dd", "be]at")
    assert statement == "UPDATE [o'dd].[be]]at] SET [at] = SYSUTCDATETIME() WHERE [id] = 1"
    assert None not in sqlglot.parse(statement, read="tsql")
