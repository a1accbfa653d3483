"""How a side stores a value."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipeline.conflicts.forms import (
    as_is,
    chain,
    cut,
    listed,
    number,
    trimmed,
    upper,
)
from pipeline.model.event import Value


@pytest.mark.parametrize("form", [as_is, trimmed, cut(3), upper, number(2), chain(cut(3), upper)])
@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "  ",
        " ab cd ",
        "ab  ",
        0,
        True,
        7,
        Decimal("1.005"),
        "1.005",
        "x",
    ],
)
def test_a_form_is_idempotent(form: object, value: Value) -> None:
    """Storing what is stored changes nothing: that is why it never comes back as an edit."""
    assert callable(form)
    assert form(form(value)) == form(value)


def test_a_cut_leaves_no_blank_at_its_end() -> None:
    """A database that trims would otherwise hold something else than we wrote."""
    assert cut(3)("ab cd") == "ab"


def test_blank_text_is_null_and_zero_is_a_value() -> None:
    """Only text can be blank."""
    assert (trimmed("  "), trimmed(0), number(2)(0)) == (
        None,
        0,
        Decimal("0.00"),
    )


def test_half_is_rounded_up_and_true_is_no_number() -> None:
    """Money is exact; flags stay flags; words stay words."""
    assert number(2)(Decimal("1.005")) == Decimal("1.01")
    flag = True
    assert number(2)(flag) is True
    assert number(2)("n/a") == "n/a"


def test_an_unlisted_code_stays_as_it_is() -> None:
    """A list says what it knows."""
    assert [listed({1: "A"})(code) for code in (1, 2)] == ["A", 2]
