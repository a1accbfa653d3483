"""Lines that are added, changed or removed while pairs are linked: both rows are looked at, and
no edit is lost.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.conflicts.conflict import Kind
from pipeline.conflicts.decision import Decision, LockedRow, Reason
from pipeline.conflicts.first import FirstLinkPolicy, LineOutcome
from pipeline.conflicts.forms import cut
from pipeline.conflicts.lines import LinesUpdate, needs_rows, update_lines
from pipeline.conflicts.link import WITH_PARENT, Desired, Link, State, Values
from pipeline.conflicts.reconcile import finish, reconcile
from pipeline.conflicts.rules import ColumnPair, Direction, Rule, Rules, Side, column
from pipeline.model.event import Event, Value
from tests.unit.conflicts.build import (
    AJERA,
    DPS,
    RULES,
    carried_out,
    event,
    linked,
    seconds,
    write_to,
)

NOW = seconds(500)
WEB = ColumnPair("web", column("vecWebsite"), column("WebSite"), Rule.NEWEST, to_dps=cut(10))
PARK = FirstLinkPolicy()


def with_line(pair: ColumnPair = WEB) -> Rules:
    return replace(RULES, pairs=(*RULES.pairs, pair))


def known() -> Link:
    """A pair that knows the lines of before."""
    return replace(linked(), lines=RULES.fingerprints)


def rows(link: Link, ajera: Value, dps: Value, at: float = 100) -> dict[Side, LockedRow]:
    """Both rows as read under lock, with their websites."""
    return {
        side: LockedRow(shown(link, side, 1, value).row, seconds(at))
        for side, value in ((AJERA, ajera), (DPS, dps))
    }


def shown(link: Link, side: Side, at: int, web: Value, lines: Values | None = None) -> Event:
    """An event that shows the new column."""
    link_side = link.side(side)
    old = {name: value for name, value in link_side.value.items() if name in RULES.by_name}
    told = event(link.with_side(side, replace(link_side, value=old)), side, at, lines=lines)
    return replace(told, row={**told.row, WEB.field(side).columns[0]: web})


def looked(
    link: Link,
    ajera: Value,
    dps: Value,
    pair: ColumnPair = WEB,
    told: Event | None = None,
    policy: FirstLinkPolicy = PARK,
) -> LinesUpdate:
    rules = with_line(pair)
    image = {}
    if told is not None:
        side = link.side_of(told.table)
        image = {side: rules.observed(side, told.row)}
    return update_lines(link, rows(link, ajera, dps), image, policy, NOW, rules)


def decided(update: LinesUpdate, pair: ColumnPair = WEB) -> Decision:
    return update.and_then(finish(update.link, NOW, with_line(pair), Reason.RETRIED))


# -- a line that is added --------------------------------------------------------------------------
def test_the_first_event_that_shows_a_new_line_is_not_swallowed() -> None:
    """What it may have been typed over is looked at: it is parked with both values, and the
    event's other edits are carried over at once.
    """
    rules, link = with_line(), known()
    told = shown(link, AJERA, 5, "typed", {"name": "new"})
    update = looked(link, "typed", "old", told=told)
    decision = update.and_then(
        reconcile(update.link, told, NOW, rules, rows(link, "typed", "old")[AJERA])
    )
    assert (decision.reason, write_to(decision, DPS).values) == (Reason.EDITED, {"name": "new"})
    parked = decision.link.parked["web"]
    assert (parked.ajera, parked.dps, parked.reason) == ("typed", "old", Kind.FIRST_LINK)
    assert [(c.kind, c.column) for c in decision.conflicts] == [(Kind.FIRST_LINK, "web")]
    assert decision.link.lines == rules.fingerprints


@pytest.mark.parametrize("filled", list(Side))
@pytest.mark.parametrize("rule", [Rule.NEWEST, Rule.AJERA, Rule.DPS, Rule.MANUAL])
def test_a_blank_of_a_new_line_wipes_nothing_under_any_rule(filled: Side, rule: Rule) -> None:
    """It is filled instead."""
    ajera, dps = ("here", None) if filled is AJERA else (None, "here")
    pair = replace(WEB, rule=rule)
    decision = decided(looked(known(), ajera, dps, pair), pair)
    assert write_to(decision, filled.other).values == {"web": "here"}
    assert [(write.side) for write in decision.writes] == [filled.other]


@pytest.mark.parametrize(
    ("pair", "values", "outcome"),
    [
        (WEB, ("same", "same"), LineOutcome.SAME),
        (WEB, ("same but longer", "same but l"), LineOutcome.SAME),
        (WEB, ("a", "b"), LineOutcome.PARKED),
        (WEB, ("NAME", "name"), LineOutcome.TO_DPS),
        (replace(WEB, rule=Rule.DPS), ("a", "b"), LineOutcome.TO_AJERA),
        (replace(WEB, rule=Rule.MANUAL), ("a", "b"), LineOutcome.PARKED),
        (replace(WEB, rule=Rule.CREATE_ONLY), ("a", "b"), LineOutcome.IGNORED),
        (replace(WEB, direction=Direction.TO_AJERA), ("a", "b"), LineOutcome.TO_AJERA),
        (replace(WEB, direction=Direction.TO_AJERA), ("a", None), LineOutcome.KEPT),
        (replace(WEB, can_translate=lambda value, to: False), ("a", "b"), LineOutcome.WAITS),
    ],
)
def test_a_new_line_is_decided_as_at_a_first_link(
    pair: ColumnPair, values: tuple[Value, Value], outcome: LineOutcome
) -> None:
    """And a rehearsal tells how."""
    update = looked(known(), *values, pair)
    assert update.outcomes == {"web": outcome}
    written = {LineOutcome.TO_DPS: [DPS], LineOutcome.TO_AJERA: [AJERA]}.get(outcome, [])
    assert [write.side for write in decided(update, pair).writes] == written


def test_an_edit_that_the_look_saw_counts_when_its_own_event_comes() -> None:
    """It was made after the event that led to the look, as the row told already."""
    rules, link = with_line(), known()
    first, second = shown(link, AJERA, 5, "a"), shown(link, AJERA, 6, "typed")
    row = rows(link, "typed", "d")
    link = looked(link, "typed", "d", told=first).link
    link = reconcile(link, first, NOW, rules, row[AJERA]).link
    assert "web" in link.parked
    decision = reconcile(link, second, NOW, rules, row[AJERA])
    assert (decision.reason, write_to(decision, DPS).values) == (Reason.EDITED, {"web": "typed"})


def test_events_that_the_look_was_ahead_of_are_no_edits() -> None:
    """What they show was gone when the row was read."""
    rules, link = with_line(), known()
    row = rows(link, "same", "same")
    link = looked(link, "same", "same").link
    decision = reconcile(link, shown(link, DPS, 7, "before"), NOW, rules, row[DPS])
    assert (decision.writes, decision.conflicts) == ((), ())


def test_the_first_edit_after_the_look_is_carried_over_from_either_side() -> None:
    """The line is known by then."""
    rules = with_line()
    for side in Side:
        link = looked(known(), "same", "same").link
        told = shown(link, side, 200, "typed")
        row = LockedRow(told.row, seconds(201))
        decision = reconcile(link, told, NOW, rules, row)
        assert write_to(decision, side.other).values == {"web": "typed"}


def test_a_new_manual_line_that_differs_is_not_decided_by_a_later_edit_of_one_side() -> None:
    """Nobody has seen both texts."""
    pair = replace(WEB, rule=Rule.MANUAL)
    rules, link = with_line(pair), looked(known(), "a", "b", replace(WEB, rule=Rule.MANUAL)).link
    told = shown(link, AJERA, 200, "c")
    decision = reconcile(link, told, NOW, rules, LockedRow(told.row, seconds(201)))
    assert (decision.writes, set(decision.link.parked)) == ((), {"web"})


def test_a_side_that_is_off_sends_nothing_of_a_new_line_until_it_is_on() -> None:
    """As at a first link."""
    link = replace(known(), off=frozenset({DPS}))
    update = looked(link, None, "there")
    assert (update.outcomes["web"], decided(update).writes) == (LineOutcome.WAITS, ())
    on = replace(update.link, off=frozenset())
    assert write_to(finish(on, NOW, with_line(), Reason.RETRIED), AJERA).values == {"web": "there"}


@pytest.mark.parametrize(
    "link",
    [
        replace(known(), out=frozenset({WITH_PARENT})),
        replace(known(), state=State.ENDED),
    ],
    ids=["suspended", "ended"],
)
def test_a_pair_that_exchanges_nothing_now_learns_no_line(link: Link) -> None:
    """It does when it goes on; what its events show meanwhile is not taken for known."""
    update = looked(link, "a", "b")
    assert (update.link, update.outcomes) == (link, {})


def test_a_row_that_is_being_created_knows_only_the_lines_that_did_not_change() -> None:
    """It may be created by a release that lacks one: that is looked at when the row is there."""
    link = replace(known(), state=State.CREATING, lines=with_line().fingerprints)
    link = update_lines(link, {}, {}, PARK, NOW, RULES).link
    assert link.lines == RULES.fingerprints
    link = update_lines(link, {}, {}, PARK, NOW, with_line()).link
    assert needs_rows(replace(link, state=State.LINKED), with_line())


def test_a_pair_whose_row_is_gone_learns_no_line_and_decides_nothing_of_it() -> None:
    """The delete's own event ends it."""
    link = known()
    held = {**rows(link, "a", "b"), DPS: LockedRow(None, seconds(100))}
    update = update_lines(link, held, {}, PARK, NOW, with_line())
    assert update.link == link
    asked = replace(link, ajera=replace(link.ajera, value={**link.ajera.value, "web": "a"}))
    asked = replace(asked, dps=replace(link.dps, value={**link.dps.value, "web": "b"}))
    asked = replace(asked, ajera=asked.ajera.mark_pending("web"))
    assert finish(asked, NOW, with_line(), Reason.RETRIED).writes == ()


def test_a_link_of_an_earlier_version_knows_the_lines_of_which_it_has_both_values() -> None:
    """A value of one side alone is what such a version had swallowed."""
    link, rules = linked(), with_line()
    assert not needs_rows(link, RULES)
    assert needs_rows(link, rules)
    link_side = replace(link.ajera, value={**link.ajera.value, "web": "swallowed"})
    link = replace(link, ajera=link_side)
    update = looked(link, "swallowed", "old")
    assert update.outcomes == {"web": LineOutcome.PARKED}
    assert not needs_rows(update.link, rules)


# -- a line that compares something else -----------------------------------------------------------
def test_a_line_that_compares_another_column_is_looked_at_as_a_new_one() -> None:
    """What was known of the former column says nothing of this one."""
    link = looked(known(), "a", "b").link
    other = replace(WEB, ajera=column("vecWebsite"), dps=column("vecOther"))
    held = rows(link, "a", "b")
    held[DPS] = LockedRow({**(held[DPS].row or {}), "vecOther": None}, seconds(300))
    update = update_lines(link, held, {}, PARK, NOW, with_line(other))
    assert update.outcomes == {"web": LineOutcome.TO_DPS}
    assert [(c.kind, c.rule) for c in update.conflicts] == [
        (Kind.LINE_CHANGED, None),  # it was parked
        (Kind.FIRST_LINK, Rule.NEWEST),
    ]
    decision = update.and_then(finish(update.link, NOW, with_line(other), Reason.RETRIED))
    assert write_to(decision, DPS).expected == {"web": None}


def test_our_own_write_of_the_former_form_coming_back_is_no_edit_of_the_new_one() -> None:
    """The look is newer than it."""
    rules, link = with_line(), known()
    link = looked(link, "a name that is long", None).link
    link = carried_out(finish(link, NOW, rules, Reason.RETRIED), 150)
    longer = replace(WEB, to_dps=cut(14))
    held = rows(link, "a name that is long", "a name tha", at=300)
    update = update_lines(link, held, {}, PARK, NOW, with_line(longer))
    assert update.outcomes == {"web": LineOutcome.PARKED}
    echo = shown(update.link, DPS, 150, "a name tha")
    decision = reconcile(update.link, echo, NOW, with_line(longer), held[DPS])
    assert (decision.writes, set(decision.link.parked)) == ((), {"web"})


# -- another rule ----------------------------------------------------------------------------------
def under(link: Link, pair: ColumnPair) -> Decision:
    update = update_lines(link, {}, {}, PARK, NOW, with_line(pair))
    assert update.link.lines == with_line(pair).fingerprints
    return update.and_then(finish(update.link, NOW, with_line(pair), Reason.RETRIED))


def test_another_rule_decides_what_the_former_one_left_to_a_person() -> None:
    """By when it was typed, as far as that is known; no row is read for it."""
    manual = replace(WEB, rule=Rule.MANUAL)
    rules, link = with_line(manual), looked(known(), "same", "same", manual).link
    for side, at, text in ((AJERA, 210, "a"), (DPS, 220, "d")):
        told = shown(link, side, at, text)
        link = reconcile(link, told, NOW, rules, LockedRow(told.row, seconds(at))).link
        link = replace(link, dps=replace(link.dps, pending=()))
    assert "web" in link.parked
    assert write_to(under(link, WEB), AJERA).values == {"web": "d"}
    assert write_to(under(link, replace(WEB, rule=Rule.AJERA)), DPS).values == {"web": "a"}


def test_a_first_link_left_to_a_person_is_decided_by_the_owner_that_is_named_later() -> None:
    """Nobody typed, and it would be parked for ever under no rule."""
    link = looked(known(), "a", "b").link
    assert write_to(under(link, replace(WEB, rule=Rule.DPS)), AJERA).values == {"web": "b"}
    assert set(under(link, replace(WEB, rule=Rule.MANUAL)).link.parked) == {"web"}


@pytest.mark.parametrize("later", list(Side))
def test_a_line_that_begins_to_flow_carries_what_was_typed_later(later: Side) -> None:
    """Under the former rule each side kept its own."""
    idle = replace(WEB, rule=Rule.CREATE_ONLY)
    rules, link = with_line(idle), looked(known(), "same", "same", idle).link
    for side, text in ((later.other, "first"), (later, "second")):
        at = 220 if side is later else 210
        told = shown(link, side, at, text)
        link = reconcile(link, told, NOW, rules, LockedRow(told.row, seconds(at))).link
    decision = under(link, WEB)
    assert write_to(decision, later.other).values == {"web": "second"}
    assert [(c.kind, c.winner) for c in decision.conflicts] == [(Kind.FIRST_LINK, later)]


@pytest.mark.parametrize("owner", list(Side))
def test_a_line_that_begins_to_flow_wipes_nothing(owner: Side) -> None:
    """Though the blank was typed, and by the owner."""
    idle = replace(WEB, rule=Rule.CREATE_ONLY)
    rules, link = with_line(idle), looked(known(), "same", "same", idle).link
    for side, at, text in ((owner, 210, None), (owner.other, 205, "here")):
        told = shown(link, side, at, text)
        link = reconcile(link, told, NOW, rules, LockedRow(told.row, seconds(at))).link
    pair = replace(WEB, rule=Rule(owner.value))
    assert write_to(under(link, pair), owner).values == {"web": "here"}


def test_what_a_side_asked_for_ends_with_the_direction_and_is_logged() -> None:
    """It is not written any more."""
    link = looked(known(), "same", "same").link
    wanted = {"web": Desired("typed", seconds(200), is_decided=True)}
    link = replace(link, ajera=replace(link.ajera, wanted=wanted))
    decision = under(link, replace(WEB, direction=Direction.TO_AJERA))
    assert decision.writes == ()
    assert [(c.kind, c.ajera) for c in decision.conflicts] == [(Kind.LINE_CHANGED, "typed")]


# -- a line that is removed ------------------------------------------------------------------------
def test_a_removed_line_is_forgotten_and_what_waited_there_is_logged() -> None:
    """If it comes back it is new."""
    link = looked(known(), "a", "b").link
    update = update_lines(link, {}, {}, PARK, NOW, RULES)
    assert [(c.kind, c.column, c.ajera, c.dps) for c in update.conflicts] == [
        (Kind.LINE_CHANGED, "web", "a", "b")
    ]
    assert update.link.parked == {}
    assert "web" not in {**update.link.ajera.value, **update.link.dps.observed}
    assert [pending for pending in update.link.dps.pending if "web" in pending.values] == []
    assert update.link.lines == RULES.fingerprints
    assert looked(update.link, "c", "c").outcomes == {"web": LineOutcome.SAME}


def test_a_link_that_knows_its_lines_is_left_as_it_is() -> None:
    """Whatever is asked for in it."""
    link = looked(known(), "a", "b").link
    assert update_lines(link, {}, {}, PARK, NOW, with_line()) == LinesUpdate(link)
