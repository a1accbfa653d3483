"""What is captured of a system: what the configured routes read, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.database.state.schema import sync_metadata
from pipeline.domain import ajera, dps
from pipeline.domain.routes import AJERA_AND_DPS, AJERA_TO_PIM, ROUTES, captured
from pipeline.mapping.source import ColumnType, SourceTable, columns, union

SHARED = ("AxVec", "AxContact", "AxProject", "AxInvoiceGroup")


def names(table: SourceTable) -> set[str]:
    return {column.name for column in table.columns}


def test_a_firm_with_pim_alone_captures_what_pims_route_reads() -> None:
    """Nothing of DPS, and no column that the exchange alone uses."""
    found = {table.name: names(table) for table in captured("ajera", [AJERA_TO_PIM])}
    assert set(found) == {*SHARED, "AxResource"}
    assert "vecTitle" in found["AxVec"]
    assert "vecSyncToCRM" not in found["AxVec"]
    assert captured("dps", [AJERA_TO_PIM]) == ()


def test_a_firm_with_dps_alone_captures_what_the_exchange_reads() -> None:
    """AxResource is nothing to it, nor a job title."""
    found = {table.name: names(table) for table in captured("ajera", [AJERA_AND_DPS])}
    assert set(found) == {*SHARED}
    assert "vecSyncToCRM" in found["AxVec"]
    assert "vecTitle" not in found["AxVec"]
    found = {table.name: names(table) for table in captured("dps", [AJERA_AND_DPS])}
    assert set(found) == {table.name for table in dps.CAPTURED} - {"EMProjectAssoc"}
    assert "AjeraSync" in found["PR"]
    assert "AjeraSpentLabor" not in found["PR"]


def test_with_several_routes_a_table_is_captured_once_with_the_columns_of_each() -> None:
    """The connector has one list, whichever route was configured first."""
    found = captured("ajera", ROUTES)
    assert [table.name for table in found] == [
        *(*SHARED, "AxResource"),
        *("AxEntity", "AxCompany", "AxEmployeeType", "AxActivity", "AxClientInvoice"),
        *("AxTransaction", "AxReceipt", "AxBeginningBalance"),
    ]
    assert {"vecTitle", "vecSyncToCRM"} <= names(found[0])
    assert {"prjNotes", "prjSyncToCRM", "prjBillingType"} <= names(found[2])


def test_a_table_or_column_captured_for_another_route_is_not_mirrored_into_pims_state() -> None:
    """PIM's database holds what its own lines read."""
    tables = sync_metadata("sync", AJERA_TO_PIM.sources).tables
    mirrors = {name for name in tables if name.startswith("sync.mirror_")}
    assert mirrors == {f"sync.mirror_{table.name}" for table in AJERA_TO_PIM.sources}
    assert "vecSyncToCRM" not in tables["sync.mirror_AxVec"].columns


def test_what_is_only_written_or_asked_is_never_captured() -> None:
    """Contacts of a project; and time entries, where they are not summed up."""
    found = {table.name for table in captured("ajera", ROUTES)}
    assert ajera.AX_PROJECT_CONTACT.name not in found
    found = {table.name for table in captured("ajera", [AJERA_TO_PIM, AJERA_AND_DPS])}
    assert ajera.AX_TRANSACTION.name not in found


def test_a_firm_without_accounting_captures_none_of_its_tables() -> None:
    """Nor a column of a shared table that accounting alone reads."""
    found = {table.name: names(table) for table in captured("ajera", [AJERA_TO_PIM, AJERA_AND_DPS])}
    assert set(found) == {*SHARED, "AxResource"}
    assert found["AxProject"].isdisjoint({"prjBillingType", "prjActualStartDate"})
    assert "resBudgetAmount" in names(ajera.AX_RESOURCE)


def test_a_route_cannot_pick_a_column_that_its_table_lacks() -> None:
    """A misspelt one would be missing in every message."""
    with pytest.raises(ValueError, match="vecDescripton"):
        ajera.AX_VEC.pick("vecDescripton")


def test_a_pick_has_the_key_and_the_order_of_its_table() -> None:
    """Whatever order the route names them in."""
    table = SourceTable("T", ("a", "b"), columns(ColumnType.TEXT, "a", "x", "b", "y"))
    assert table.pick("y") == replace(table, columns=columns(ColumnType.TEXT, "a", "b", "y"))
    assert union((table.pick("y"),), (table.pick("x"),))[0].key == ("a", "b")


def test_a_key_of_any_kind_and_number_of_columns_is_one_text_and_back() -> None:
    """A bar or a percent sign in a value is told from the one between values."""
    kinds = (
        *columns(ColumnType.INTEGER, "number"),
        *columns(ColumnType.TEXT, "text"),
        *columns(ColumnType.FLAG, "flag"),
    )
    table = SourceTable("T", ("number", "text", "flag"), kinds)
    for values in ((-7, "a|b%7C", True), (0, "", False), (1, " ", True)):
        assert table.key_values(table.key_text(values)) == values
    single = SourceTable("T", ("text",), columns(ColumnType.TEXT, "text"))
    for text in ("a|b", "5", "%25"):
        assert single.key_values(single.key_text((text,))) == (text,)


def test_routes_have_names_of_their_own() -> None:
    """By which settings and commands call them."""
    assert len({route.name for route in ROUTES}) == len(ROUTES)
