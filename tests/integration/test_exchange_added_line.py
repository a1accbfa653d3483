"""A line is added to pairs that are linked already, changed, or removed: no value is blanked, no
edit is lost, and nobody waits for an event that may never come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import count

import pytest

from pipeline.conflicts.fingerprint import of_lines
from pipeline.conflicts.first import FirstLinkPolicy
from pipeline.conflicts.rules import ColumnPair, Direction, Rule, Side, column
from tests.support.outbox import Crash, World

AJERA, DPS = Side.AJERA, Side.DPS
BOTH = pytest.mark.parametrize("side", list(Side))
NEW = ("website", "notes", "market", "phone", "chance")


@pytest.fixture
def old(firm: World) -> Iterator[World]:
    """A release whose maps lack some lines, and a firm that both sides have."""
    setup = firm.setup
    without_new_lines(firm)
    firm.client(1, "Hill")
    firm.firm("A", "Hill")
    firm.settle()
    assert [link.entity for link in firm.links()] == ["firm"]
    yield firm
    firm.setup = setup
    firm.restart()


def without_new_lines(firm: World) -> None:
    firm.setup = replace(
        firm.setup,
        entities=tuple(
            replace(
                one,
                rules=replace(
                    one.rules, pairs=tuple(p for p in one.rules.pairs if p.name not in NEW)
                ),
            )
            for one in firm.setup.entities
        ),
    )
    firm.restart()


def release(
    firm: World, entity: str = "firm", *lines: ColumnPair, prefers: Side | None = None
) -> None:
    """A new process, with these lines too, or instead of those of their names."""
    names = {line.name for line in lines}
    firm.setup = replace(
        firm.setup,
        policy=FirstLinkPolicy(prefers),
        entities=tuple(
            replace(
                one,
                rules=replace(
                    one.rules, pairs=(*(p for p in one.rules.pairs if p.name not in names), *lines)
                ),
            )
            if one.name == entity
            else one
            for one in firm.setup.entities
        ),
    )
    firm.restart()


def website(rule: Rule = Rule.NEWEST, direction: Direction = Direction.BOTH) -> ColumnPair:
    return ColumnPair("website", column("vecWebsite"), column("WebSite"), rule, direction)


def fill(firm: World, ajera: str | None, dps: str | None) -> None:
    """What the old release does not see, and its events."""
    firm.edit(AJERA, "AxVec", vecWebsite=ajera)
    firm.edit(DPS, "Clendor", WebSite=dps)
    firm.settle()


def held(firm: World) -> list[object]:
    return firm.rows(AJERA, "AxVec", "vecWebsite") + firm.rows(DPS, "Clendor", "WebSite")


def type_(firm: World, side: Side, text: str | None) -> None:
    if side is AJERA:
        firm.edit(AJERA, "AxVec", vecWebsite=text)
    else:
        firm.edit(DPS, "Clendor", WebSite=text)


def lines_parked(firm: World) -> list[str]:
    return [name for link in firm.links() for name in link.parked]


def again(firm: World) -> None:
    """Everything is read again, and tried again: nothing is written."""
    before = held(firm), firm.writes(AJERA), firm.writes(DPS), firm.conflicts()
    firm.wait()
    firm.rewind()
    firm.settle()
    assert (held(firm), firm.writes(AJERA), firm.writes(DPS), firm.conflicts()) == before
    rules = {one.name: of_lines(one.rules.fingerprints) for one in firm.setup.entities}
    stored = firm.dps.execute("SELECT entity, lines FROM sync.link WHERE state = 'linked'")
    assert all(rules[entity] == lines for entity, lines in stored.fetchall())


# -- nobody edits ----------------------------------------------------------------------------------
def test_a_difference_that_nobody_edits_is_left_to_a_person(old: World) -> None:
    """With both values, and without any event."""
    fill(old, "a.example", "d.example")
    release(old, "firm", website())
    old.settle()
    assert (held(old), lines_parked(old)) == (["a.example", "d.example"], ["website"])
    assert old.conflicts() == [("first_link", "website", None)]
    assert old.logged("website") == [("a.example", "d.example")]
    again(old)


def test_a_difference_goes_to_the_side_that_the_policy_prefers(old: World) -> None:
    """And is logged, so that it can be reversed."""
    fill(old, "a.example", "d.example")
    release(old, "firm", website(), prefers=DPS)
    old.settle()
    assert held(old) == ["d.example", "d.example"]
    assert old.conflicts() == [("first_link", "website", "dps")]
    again(old)


@BOTH
def test_a_blank_of_a_new_line_is_filled_and_wipes_nothing(old: World, side: Side) -> None:
    """Whoever has it."""
    fill(old, *(None, "x.example") if side is AJERA else ("x.example", None))
    release(old, "firm", website())
    old.settle()
    assert held(old) == ["x.example", "x.example"]
    again(old)


def test_a_line_on_which_both_sides_agree_leads_to_no_write(old: World) -> None:
    """Nor to an entry in the log."""
    fill(old, "x.example", "x.example")
    release(old, "firm", website())
    old.settle()
    assert (old.writes(AJERA), old.writes(DPS), old.conflicts()) == ([], [], [])
    again(old)


@pytest.mark.parametrize(
    ("rule", "direction", "ends"),
    [
        (Rule.AJERA, Direction.TO_DPS, ["a.example", "a.example"]),
        (Rule.NEWEST, Direction.TO_AJERA, ["d.example", "d.example"]),
    ],
)
def test_a_one_way_line_goes_to_the_sender_and_its_blank_wipes_nothing(
    old: World, rule: Rule, direction: Direction, ends: list[object]
) -> None:
    """As at a first link."""
    fill(old, "a.example", "d.example")
    release(old, "firm", website(rule, direction))
    old.settle()
    assert held(old) == ends
    again(old)
    old.clear()
    old.client(1, "Hill", vecWebsite=None if rule is Rule.AJERA else "a.example")
    old.firm("A", "Hill", WebSite="d.example" if rule is Rule.AJERA else None)
    kept = held(old)
    without_new_lines(old)
    old.settle()
    release(old, "firm", website(rule, direction))
    old.settle()
    assert held(old) == kept
    again(old)


def test_a_manual_line_that_differs_is_parked_and_an_edit_does_not_decide_it(old: World) -> None:
    """Nobody has seen both texts; a person takes one."""
    fill(old, "a.example", "d.example")
    release(old, "firm", website(Rule.MANUAL))
    old.settle()
    type_(old, AJERA, "a2.example")
    old.settle()
    assert (held(old), lines_parked(old)) == (["a2.example", "d.example"], ["website"])
    again(old)


# -- somebody edits --------------------------------------------------------------------------------
@BOTH
def test_the_first_edit_of_each_side_is_carried_over_once_the_line_is_known(
    old: World, side: Side
) -> None:
    """It was swallowed: the first image of each side was taken for what had always been there."""
    fill(old, "x.example", "x.example")
    release(old, "firm", website())
    old.settle()
    for typing, text in ((side, "first.example"), (side.other, "second.example")):
        type_(old, typing, text)
        old.settle()
        assert held(old) == [text, text]
    again(old)


@BOTH
def test_the_edit_whose_event_comes_before_any_look_is_not_swallowed(
    old: World, side: Side
) -> None:
    """Nothing tells whether the event's own edit made the difference: a person is asked, and the
    other line that it edits goes on. The next edit decides.
    """
    fill(old, "x.example", "x.example")
    release(old, "firm", website(), prefers=side.other)
    type_(old, side, "typed.example")
    if side is AJERA:
        old.edit(AJERA, "AxVec", vecDescription="Hill Ltd")
    else:
        old.edit(DPS, "Clendor", Name="Hill Ltd")
    old.deliver(side)
    assert lines_parked(old) == ["website"]
    assert sorted(map(str, held(old))) == ["typed.example", "x.example"]
    old.settle()
    assert (
        old.rows(AJERA, "AxVec", "vecDescription")
        == old.rows(DPS, "Clendor", "Name")
        == ["Hill Ltd"]
    )
    type_(old, side, "again.example")
    old.settle()
    assert held(old) == ["again.example", "again.example"]
    again(old)


@BOTH
def test_an_edit_beside_a_blank_is_carried_over_with_its_first_event(
    old: World, side: Side
) -> None:
    """At once."""
    release(old, "firm", website())
    type_(old, side, "typed.example")
    old.deliver(side)
    assert held(old) == ["typed.example", "typed.example"]
    again(old)


@BOTH
def test_edits_of_both_sides_before_any_look_are_parked_with_both_values(
    old: World, side: Side
) -> None:
    """Whichever event comes first; the sides had agreed."""
    fill(old, "x.example", "x.example")
    release(old, "firm", website())
    type_(old, AJERA, "a.example")
    type_(old, DPS, "d.example")
    old.deliver(side)
    old.settle()
    assert (held(old), lines_parked(old)) == (["a.example", "d.example"], ["website"])
    assert old.logged("website") == [("a.example", "d.example")]
    again(old)


def test_the_newer_of_two_edits_is_carried_over_though_a_look_saw_it_first(old: World) -> None:
    """The first event leads to the look, which sees the second one's value."""
    fill(old, "x.example", "x.example")
    release(old, "firm", website())
    old.edit(AJERA, "AxVec", vecCity="Oslo")
    old.read_logs()
    type_(old, AJERA, "typed.example")
    old.deliver(AJERA, 1)
    assert lines_parked(old) == ["website"]
    old.settle()
    assert (held(old), lines_parked(old)) == (["typed.example", "typed.example"], [])
    again(old)


# -- pairs that are not exchanged now --------------------------------------------------------------
def test_a_suspended_pair_is_looked_at_when_it_goes_on(old: World) -> None:
    """Not before: nothing is decided of it meanwhile, and what is typed is not lost."""
    fill(old, "x.example", "x.example")
    old.edit(AJERA, "AxVec", vecIsClient=False, vecIsVendor=True)
    old.settle()
    release(old, "firm", website())
    type_(old, DPS, "d.example")
    old.settle()
    assert (held(old), lines_parked(old)) == (["x.example", "d.example"], [])
    old.edit(AJERA, "AxVec", vecIsClient=True)
    old.settle()
    assert (held(old), lines_parked(old)) == (["x.example", "d.example"], ["website"])
    again(old)


def test_a_side_that_is_off_fills_no_blank_of_a_new_line_until_it_is_on(old: World) -> None:
    """As at a first link."""
    fill(old, None, "d.example")
    old.edit(DPS, "Clendor", AjeraSync="N")
    old.settle()
    release(old, "firm", website())
    old.settle()
    assert held(old) == [None, "d.example"]
    old.edit(DPS, "Clendor", AjeraSync="Y")
    old.settle()
    assert held(old) == ["d.example", "d.example"]
    again(old)


# -- lines that change, and go ---------------------------------------------------------------------
def test_another_rule_decides_what_was_left_to_a_person(old: World) -> None:
    """By the edits' times; the owner named later wins what nobody edited."""
    fill(old, "a.example", "d.example")
    release(old, "firm", website(Rule.MANUAL))
    old.settle()
    type_(old, AJERA, "a2.example")
    old.settle()
    assert lines_parked(old) == ["website"]
    release(old, "firm", website(Rule.DPS))
    old.settle()
    assert (held(old), lines_parked(old)) == (["d.example", "d.example"], [])
    again(old)


def test_a_removed_line_is_forgotten_and_new_when_it_comes_back(old: World) -> None:
    """What was parked there ends, and is logged; what is typed meanwhile is looked at."""
    fill(old, "a.example", "d.example")
    release(old, "firm", website())
    old.settle()
    without_new_lines(old)
    old.settle()
    assert lines_parked(old) == []
    assert old.conflicts()[-1] == ("line_changed", "website", None)
    type_(old, DPS, "a.example")
    old.settle()
    assert held(old) == ["a.example", "a.example"]
    type_(old, AJERA, None)
    old.settle()
    release(old, "firm", website())
    old.settle()
    assert held(old) == ["a.example", "a.example"]
    again(old)


def test_a_line_that_compares_another_column_is_looked_at_again(old: World) -> None:
    """What was known of the former one says nothing of it."""
    fill(old, "x.example", "x.example")
    release(old, "firm", website())
    old.settle()
    old.edit(AJERA, "AxVec", vecClientNotes="other.example")
    old.settle()
    moved = replace(website(), ajera=column("vecClientNotes"))
    release(old, "firm", moved)
    old.settle()
    assert lines_parked(old) == ["website"]
    assert old.logged("website") == [("other.example", "x.example")]
    again(old)


def test_two_releases_side_by_side_lose_no_edit(old: World) -> None:
    """The old one forgets the line that it does not have; the new one looks again."""
    fill(old, "x.example", "x.example")
    former = old.exchange, old.decoder
    release(old, "firm", website())
    new = old.exchange, old.decoder
    old.settle()
    type_(old, AJERA, "typed.example")
    old.exchange, old.decoder = former
    old.deliver(AJERA)
    assert held(old) == ["typed.example", "x.example"]
    old.exchange, old.decoder = new
    old.edit(DPS, "Clendor", Name="Hill Ltd")
    old.settle()
    assert lines_parked(old) == ["website"]
    assert old.rows(AJERA, "AxVec", "vecDescription") == ["Hill Ltd"]


# -- crashes, and the commands ---------------------------------------------------------------------
def dies_at(death: int, commits: Iterator[int]) -> bool:
    return next(commits) == death


@pytest.mark.parametrize("has_event", [False, True], ids=["at start", "with an event"])
def test_a_death_at_any_commit_between_the_look_and_its_write_changes_nothing(
    old: World, has_event: bool
) -> None:
    """The blank in Ajera is filled once, whenever the process died."""
    for death in count(1):
        old.clear()
        without_new_lines(old)
        old.client(1, "Hill")
        old.firm("A", "Hill", WebSite="d.example")
        old.settle()
        release(old, "firm", website())
        if has_event:
            old.edit(AJERA, "AxVec", vecCity="Oslo")
        old.pairs.may_die = partial(dies_at, death, count(1))
        try:
            old.settle()
            died = False
        except Crash:
            died = True
        old.pairs.may_die = lambda: False
        if died:
            old.restart()
            old.settle()
        assert held(old) == ["d.example", "d.example"]
        assert (
            len(
                [
                    1
                    for _, _, was, row in old.writes(AJERA)
                    if was["vecWebsite"] != row["vecWebsite"]
                ]
            )
            == 1
        )
        assert old.conflicts() == [("first_link", "website", "dps")]
        again(old)
        if not died:
            assert death > 4
            return


def test_a_rehearsal_tells_what_a_new_line_would_lead_to_and_the_command_does_it(
    old: World,
) -> None:
    """For each line the pairs that would be looked at, and what would become of them."""
    for key, (ajera, dps) in enumerate((("a", "b"), ("c", None), (None, "d"), ("e", "e")), start=2):
        old.client(key, f"Firm {key}", vecWebsite=ajera, vecClientNotes="n" if key == 2 else None)
        old.firm(f"F{key}", f"Firm {key}", WebSite=dps)
    old.settle()
    before = held(old)
    rehearsed = old.command("link", "--dry-run")["entities"]
    assert held(old) == before
    assert lines_parked(old) == []
    found = {one["entity"]: one["new_lines"] for one in rehearsed}["firm"]
    assert found["website"] == {"same": 2, "parked": 1, "to_dps": 1, "to_ajera": 1}
    assert found["notes"] == {"same": 4, "to_dps": 1}
    assert [one["linked"] for one in rehearsed if one["entity"] == "firm"] == [0]
    done = old.command("link", "--yes")["entities"]
    assert {one["entity"]: one["new_lines"] for one in done}["firm"] == found
    assert sorted(map(str, held(old))) == sorted(
        ["None", "a", "c", "d", "e", "None", "b", "c", "d", "e"]
    )
    assert lines_parked(old) == ["website"]
    assert old.command("link", "--dry-run")["entities"][0]["new_lines"] == {}
