"""Values that do not fit: each policy of a column does what it says, and says what it did."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from pipeline.domain.pim import PROJECT
from pipeline.errors import ValueRefused
from pipeline.mapping.fit import fit
from pipeline.mapping.site import (
    ColumnPolicy,
    OverflowPolicy,
    Site,
    TargetNames,
)
from pipeline.mapping.source import ColumnType
from pipeline.mapping.target import TargetColumn, TargetRow, TargetTable
from pipeline.model.event import Value

NAME = "Name"


def site(**policy: OverflowPolicy) -> Site:
    """A site with this policy for Project.Name."""
    column = ColumnPolicy.model_validate(policy)
    return Site(target={"Project": TargetNames(policies={NAME: column})})


def project(value: Value) -> TargetRow:
    return TargetRow("Project", ("1",), {NAME: value})


def latin() -> TargetTable:
    """PIM's Project in a database whose text columns are varchar of code page 1252."""
    return replace(
        PROJECT,
        columns=tuple(replace(column, encoding="cp1252") for column in PROJECT.columns),
    )


def test_a_text_that_is_too_long_is_cut_without_trailing_blanks_and_told() -> None:
    """Never a crashed batch; the column is named so that it can be counted."""
    fitted = fit(PROJECT, project("x" * 99 + " yz"), Site(), utf16=False)
    assert fitted.row.values[NAME] == "x" * 99
    assert fitted.done == ((NAME, OverflowPolicy.CUT),)


def test_a_text_of_exactly_the_columns_length_is_left_alone() -> None:
    """The length is the last that fits."""
    fitted = fit(PROJECT, project("x" * 100), Site(), utf16=True)
    assert (fitted.row.values[NAME], fitted.done) == ("x" * 100, ())


def test_a_text_that_is_too_long_is_refused_where_the_site_says_so() -> None:
    """The error names table and column, not the text."""
    with pytest.raises(ValueRefused, match=r"Project\.Name is longer than the column") as refused:
        fit(
            PROJECT,
            project("canary" * 50),
            site(too_long=OverflowPolicy.REFUSE),
            utf16=False,
        )
    assert "canary" not in str(refused.value)


def test_utf16_lengths_count_surrogate_pairs_and_never_split_one() -> None:
    """SQL Server counts two units for characters beyond the basic plane."""
    fitted = fit(PROJECT, project("x" * 99 + "😀"), Site(), utf16=True)
    assert fitted.row.values[NAME] == "x" * 99


def test_characters_that_the_code_page_lacks_become_question_marks_and_are_told() -> None:
    """What the code page has stays as it is."""
    fitted = fit(latin(), project("Zoë Ω"), Site(), utf16=True)
    assert fitted.row.values[NAME] == "Zoë ?"
    assert fitted.done == ((NAME, OverflowPolicy.REPLACE),)


def test_characters_that_the_code_page_lacks_are_refused_where_the_site_says_so() -> None:
    """The row waits, instead of losing a name."""
    with pytest.raises(ValueRefused, match="encoding lacks"):
        fit(
            latin(),
            project("Ω"),
            site(unencodable=OverflowPolicy.REFUSE),
            utf16=True,
        )


def test_no_value_where_the_column_requires_one_is_refused_by_default() -> None:
    """An invented value would be worse than a row that waits."""
    with pytest.raises(ValueRefused, match="requires a value"):
        fit(PROJECT, project(None), Site(), utf16=False)


def test_no_value_where_the_column_requires_one_becomes_an_empty_text_where_the_site_says_so() -> (
    None
):
    """For a PIM whose columns are NOT NULL though Ajera leaves them blank."""
    fitted = fit(
        PROJECT,
        project(None),
        site(null=OverflowPolicy.REPLACE),
        utf16=False,
    )
    assert (fitted.row.values[NAME], fitted.done) == (
        "",
        ((NAME, OverflowPolicy.REPLACE),),
    )


def test_null_and_values_that_are_no_text_pass_where_the_column_allows_them() -> None:
    """Nothing to fit."""
    row = TargetRow("Project", ("1",), {"Description": None})
    assert fit(PROJECT, row, Site(), utf16=False).row == row


def test_a_decimal_with_more_places_than_the_column_is_rounded_or_refused() -> None:
    """Else the database rounds it silently, and it differs for ever from what was computed."""
    amount = TargetColumn("Amount", ColumnType.DECIMAL, places=2)
    table = TargetTable("Totals", ("Firm ID",), (amount,), rank=0)

    def fitted(value: str, policy: OverflowPolicy) -> tuple[Value, int]:
        column = ColumnPolicy.model_validate({"too_long": policy})
        site = Site(target={"Totals": TargetNames(policies={"Amount": column})})
        row = TargetRow("Totals", ("1",), {"Amount": Decimal(value)})
        found = fit(table, row, site, utf16=False)
        return found.row.values["Amount"], len(found.done)

    assert fitted("7.1250000000", OverflowPolicy.CUT) == (Decimal("7.12"), 1)
    assert fitted("7.1200000000", OverflowPolicy.REFUSE) == (Decimal("7.12"), 0)
    assert fitted(f"{10**25}.12", OverflowPolicy.REFUSE) == (Decimal(f"{10**25}.12"), 0)
    with pytest.raises(ValueRefused, match="more places"):
        fitted("7.125", OverflowPolicy.REFUSE)
