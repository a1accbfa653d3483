"""What counts as blank."""

from __future__ import annotations

import sys

import pytest

from pipeline.conflicts import forms
from pipeline.mapping import convert
from pipeline.mapping.site import Site
from pipeline.mapping.terms import initials_of
from pipeline.model.text import BLANKS

ODD = ("\xa0", "\u2007", "\u202f", "\u3000", "\x1f", "\v")
NO_WIDTH = ("\u200b", "\u2060", "\ufeff")


def test_blank_is_what_python_takes_for_white_space() -> None:
    """The same characters, so that `strip()` and a dialect that is given the list agree."""
    assert sorted(BLANKS) == [
        char for char in map(chr, range(sys.maxunicode + 1)) if char.isspace()
    ]


@pytest.mark.parametrize("blank", ODD)
def test_text_of_odd_blanks_is_none(blank: str) -> None:
    """Towards PIM and in the exchange alike."""
    assert convert.text(blank * 2) is None
    assert forms.trimmed(blank * 2) is None


@pytest.mark.parametrize("blank", ODD)
def test_odd_blanks_around_text_are_cut_off(blank: str) -> None:
    """Those inside stay; a cut leaves none at its end."""
    assert convert.text(f"{blank}a{blank}b{blank}") == f"a{blank}b"
    assert forms.trimmed(f"{blank}a{blank}b{blank}") == f"a{blank}b"
    assert convert.cut(f"a{blank}b", 2) == "a"
    assert convert.cut(f"a{blank}b", 2, utf16=True) == "a"
    assert forms.cut(2)(f"a{blank}b") == "a"


@pytest.mark.parametrize("char", NO_WIDTH)
def test_characters_of_no_width_are_not_blank(char: str) -> None:
    """They are letters to Unicode, and left alone."""
    assert convert.text(char) == char


def test_initials_skip_odd_blanks() -> None:
    """A no-break space is nobody's initial."""
    assert initials_of("a", "b").of({"a": "\xa0", "b": "\u3000Solo"}, Site()) == "S"
