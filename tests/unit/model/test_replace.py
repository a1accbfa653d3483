"""A copy of a frozen dataclass with other values in some fields."""

from __future__ import annotations

import dataclasses

import pytest

from pipeline.conflicts.link import Link, LinkSide, State
from pipeline.model.replace import replace

LINK = Link("1", "client", LinkSide("AxVec", "1"), LinkSide("Clendor", "C1"), State.LINKED)


def test_a_copy_equals_that_of_dataclasses_and_leaves_the_original_as_it_was() -> None:
    """The same fields, the same hash of equal parts, and nothing shared but values."""
    copy = replace(LINK, number=7, state=State.ENDED)
    assert copy == dataclasses.replace(LINK, number=7, state=State.ENDED)
    assert (LINK.number, LINK.state) == (0, State.LINKED)
    assert replace(LINK) == LINK


def test_a_name_that_is_no_field_is_refused() -> None:
    """mypy refuses it too; a name from elsewhere does not slip in."""
    with pytest.raises(TypeError, match="nmber"):
        replace(LINK, nmber=7)  # type: ignore[call-arg]
