"""Every line of every map: a first link decided it, and the loser is made to win after all."""

from __future__ import annotations

import pytest

from pipeline.conflicts.begin import Found, first_link
from pipeline.conflicts.decision import Applied, Decision, Reason
from pipeline.conflicts.first import FirstLinkPolicy
from pipeline.conflicts.link import Link
from pipeline.conflicts.manual import reverse
from pipeline.conflicts.reconcile import finish
from pipeline.conflicts.rules import ColumnPair, Rules, Side
from pipeline.conflicts.settle import settle
from pipeline.errors import UsageError
from pipeline.model.event import Value
from tests.support.kinds import kinds_of
from tests.unit.conflicts.build import TABLES, seconds

AJERA, DPS = Side.AJERA, Side.DPS
NOW = seconds(100)
LINES = [(entity.name, pair) for entity in kinds_of() for pair in entity.rules.pairs]
VALUES: dict[str, tuple[Value, Value]] = {
    "chance": (40, 60),
    "status": (1, "D"),
    "disposition": ("Won", "Lost"),
}


def rows(pair: ColumnPair, *, blank: Side | None) -> dict[Side, Value]:
    ajera, dps = VALUES.get(pair.name, ("from a", "from d"))
    return {
        AJERA: None if blank is AJERA else ajera,
        DPS: None if blank is DPS else dps,
    }


def done(decision: Decision, rules: Rules) -> Link:
    """All of its writes, and those that follow."""
    for _ in range(5):
        link = decision.link
        for write in decision.writes:
            applied = Applied(write.number, dict(write.values), None, NOW, write.key)
            link = settle(link, write.side, applied, rules).link
        decision = finish(link, NOW, rules, Reason.RETRIED)
        if not decision.writes:
            return decision.link
    raise AssertionError("it never ends")


@pytest.mark.parametrize("blank", [None, AJERA, DPS])
@pytest.mark.parametrize(
    ("entity", "pair"),
    LINES,
    ids=[f"{entity}.{pair.name}" for entity, pair in LINES],
)
def test_a_line_of_a_first_link_is_reversed_or_refused_with_a_reason(
    entity: str, pair: ColumnPair, blank: Side | None
) -> None:
    """Then the loser's value is on both sides;
    a command that does nothing would say that it did.
    """
    rules, values = Rules((pair,)), rows(pair, blank=blank)
    found = {
        side: Found(
            TABLES[side],
            "7",
            rules.written(side, {pair.name: value}),
            seconds(1),
        )
        for side, value in values.items()
    }
    decision = first_link(
        "L1",
        entity,
        found[AJERA],
        found[DPS],
        FirstLinkPolicy(prefers=DPS),
        NOW,
        rules,
    )
    for entry in (one for one in decision.conflicts if one.winner is not None):
        assert entry.winner is not None
        loser = entry.winner.other
        try:
            link = done(reverse(done(decision, rules), entry, NOW, rules), rules)
        except UsageError:
            continue
        assert pair.agrees(link.ajera.value[pair.name], link.dps.value[pair.name])
        assert link.side(loser).value[pair.name] == entry.value(loser)
