"""The plain event, decided at once, and `reconcile`, over random histories: the same decision.

Whatever is kept of a link is compared as it is stored, since 1 and true are equal.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest

from pipeline.conflicts import codec
from pipeline.conflicts.decision import Reason
from pipeline.conflicts.link import Link
from pipeline.conflicts.plain import decide_plain
from pipeline.conflicts.reconcile import needs_look, reconcile
from pipeline.conflicts.rules import Side
from pipeline.model.event import Event
from tests.properties.conflicts.changing import ChangingConsumer, ChangingWorld
from tests.properties.conflicts.consumer import Consumer
from tests.properties.conflicts.world import World
from tests.support.decided import require_settled_alike, shown, shown_at_once

RUNS = 1_000
SEED = "plain"
AT_LEAST = 200  # plain edits, and as many echoes


class Compared(Consumer):
    """The pipeline, which decides each event both ways. `plain`: how often, by reason; `left`:
    those that were not plain.
    """

    plain: Counter[str]
    left: int

    def _decide(self, link: Link, side: Side, event: Event, now: datetime) -> None:
        compare(self, link, side, event, now)
        super()._decide(link, side, event, now)


class ChangingCompared(ChangingConsumer):
    """The same while lines are added, changed and removed."""

    plain: Counter[str]
    left: int

    def _decide(self, link: Link, side: Side, event: Event, now: datetime) -> None:
        compare(self, link, side, event, now)
        super()._decide(link, side, event, now)


def compare(
    consumer: Compared | ChangingCompared, link: Link, side: Side, event: Event, now: datetime
) -> None:
    """Raises AssertionError where the two ways differ."""
    document = codec.document_of(codec.dump(link))
    found = decide_plain(document, side, event, consumer.rules)
    if found is None:
        consumer.left += 1
        return
    assert not needs_look(link, event, consumer.rules)
    general = reconcile(link, event, now, consumer.rules)
    assert shown_at_once(found, now) == shown(general)
    held = {} if found.write is None else found.write.values
    require_settled_alike(found, general, now, consumer.rules, held)
    consumer.plain[found.reason] += 1


class ComparedWorld(World):
    """One run of the one."""

    consumer_of = Compared


class ChangingComparedWorld(ChangingWorld):
    """One run of the other."""

    consumer_of = ChangingCompared


@pytest.mark.parametrize("kind", [ComparedWorld, ChangingComparedWorld])
def test_a_plain_event_is_decided_as_any_other(kind: type[World]) -> None:
    """By reconcile: link, writes, outcome, reason and log; and plain ones of each sort came."""
    print(f"seed {SEED}, {RUNS} runs")
    plain, left = Counter[str](), 0
    for number in range(RUNS):
        world = kind(f"{SEED}-{number}")
        consumer = world.consumer
        assert isinstance(consumer, Compared | ChangingCompared)
        consumer.plain, consumer.left = plain, 0
        world.live()
        assert world.calm_down()
        left += consumer.left
    print(dict(plain), left)
    assert min(plain[Reason.EDITED], plain[Reason.ECHO]) > AT_LEAST
