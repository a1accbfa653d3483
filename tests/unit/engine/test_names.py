"""Names are compared in the form that the other side would hold,
so that what we made of a row is found as its namesake.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.conflicts.forms import folded
from pipeline.conflicts.rules import Side
from pipeline.domain.status import StatusCoding
from pipeline.engine.exchange.names import name_of, searched_for
from pipeline.model.event import Row, Value
from pipeline.model.text import BLANKS
from pipeline.pairing.entity import Entity
from tests.support.kinds import kinds_of

AJERA, DPS = Side.AJERA, Side.DPS
NAMED = [one for one in kinds_of(status=StatusCoding.NONE) if one.named_by]
ODD = [
    *BLANKS,
    ".",
    "a",
    "B",
    "ß",
    "ẞ",
    "Σ",
    "ς",
    "İ",
    "Ø",
    "é",
    "\U0001d400",
    "\u200b",
]
TEXT = st.none() | st.text(st.sampled_from(ODD) | st.characters(codec="utf-8"), max_size=300).map(
    lambda text: text.replace("\x00", "")
)


def blank(entity: Entity, side: Side) -> dict[str, None]:
    return {column.name: None for column in entity.side(side).table.columns}


def named(entity: Entity, side: Side, *parts: Value) -> Row:
    """A row of that side with these parts of its name."""
    values = dict(zip(entity.named_by, parts, strict=True))
    return {**blank(entity, side), **entity.rules.written(side, values)}


def made_of(entity: Entity, side: Side, row: Row) -> Row:
    """The row that the other side gets."""
    pairs = [entity.rules.by_name[name] for name in entity.named_by]
    values = {pair.name: pair.convert(pair.field(side).read(row), to=side.other) for pair in pairs}
    return {
        **blank(entity, side.other),
        **entity.rules.written(side.other, values),
    }


def entity(name: str) -> Entity:
    return next(one for one in NAMED if one.name == name)


@pytest.mark.parametrize("of", NAMED, ids=lambda one: one.name)
@pytest.mark.parametrize("side", list(Side))
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_the_row_that_is_made_of_a_row_carries_its_name(
    of: Entity, side: Side, data: st.DataObject
) -> None:
    """And is searched for by a text that it holds in that line: nobody is made twice."""
    row = named(of, side, *(data.draw(TEXT) for _ in of.named_by))
    other = made_of(of, side, row)
    assert name_of(of, side, row) == name_of(of, side.other, other)
    for line, texts in searched_for(of, side, [row]).items():
        pair = of.rules.by_name[line]
        held = [str(other[column] or "") for column in pair.field(side.other).columns]
        assert {fold_of(text) for text in texts} & {fold_of(text, pair.length) for text in held}


def fold_of(text: str, length: int | None = None) -> str:
    """As the databases compare: trimmed, cut, without any blank."""
    trimmed = text.strip(BLANKS)[:length]
    return "".join(folded(trimmed).split())


@pytest.mark.parametrize(
    ("ajera", "dps"),
    [
        (("Ann", None, None), ("ANN", None, ".")),
        (("Ann", None, "\u00a0"), ("Ann", "", ".")),
        (("Ann", None, "."), ("Ann", None, ".")),
        (("Ann", " ", "B" * 31), ("Ann", None, "b" * 30)),
        (("A" * 26, None, "Berg"), ("A" * 25, None, "Berg")),
        (
            ("Ann  Marie", None, "van\u00a0der\tBerg"),
            (" Ann Marie ", None, "van der Berg"),
        ),
    ],
)
def test_a_person_is_the_same_in_the_forms_of_both_sides(
    ajera: tuple[str, ...], dps: tuple[str, ...]
) -> None:
    """A full stop for no last name, names cut at DPS's length, blanks of any kind."""
    contact = entity("contact")
    assert name_of(contact, AJERA, named(contact, AJERA, *ajera)) == name_of(
        contact, DPS, named(contact, DPS, *dps)
    )


@pytest.mark.parametrize(
    ("ajera", "dps"),
    [
        (("Ann", None, "Berg"), ("Ann", "Berg", ".")),
        (("Ann Marie", None, "Berg"), ("Ann", "Marie", "Berg")),
        (("Ann", None, None), ("Ann", None, "Berg")),
        (("Ann", None, "B" * 30), ("Ann", None, "B" * 29)),
    ],
)
def test_two_persons_are_told_apart_by_each_part(
    ajera: tuple[str, ...], dps: tuple[str, ...]
) -> None:
    """What stands in another part is another name."""
    contact = entity("contact")
    assert name_of(contact, AJERA, named(contact, AJERA, *ajera)) != name_of(
        contact, DPS, named(contact, DPS, *dps)
    )


@pytest.mark.parametrize("parts", [(None, None, None), (" ", "\u00a0", "."), ("", "", "")])
def test_a_person_without_any_name_has_none_to_be_matched_by(
    parts: tuple[str | None, ...],
) -> None:
    """A lone full stop is DPS's blank, typed in Ajera too."""
    for of in (entity("contact"), entity("employee")):
        for side in Side:
            assert name_of(of, side, named(of, side, *parts)) == ""
            assert searched_for(of, side, [named(of, side, *parts)]) == {}


def test_a_long_firm_and_a_long_project_carry_the_name_that_dps_cut() -> None:
    """100 characters of a firm, 255 of a project."""
    for name, length in (("firm", 100), ("vendor", 100), ("project", 255)):
        of = entity(name)
        ajera = named(of, AJERA, "x" * (length + 5))
        assert (
            name_of(of, AJERA, ajera) == name_of(of, DPS, made_of(of, AJERA, ajera)) == "x" * length
        )
