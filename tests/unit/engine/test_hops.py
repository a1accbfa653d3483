"""Where the time of a change goes: a hop for each stretch whose ends are known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.engine.consumer.hops import times_of
from pipeline.model.event import Message
from tests.support.events import NOON, event
from tests.support.lags import milliseconds

CAPTURED = milliseconds(NOON + timedelta(seconds=1))
IN_KAFKA = milliseconds(NOON + timedelta(seconds=3))


def hops(captured_ms: int, kafka_ms: int, committed_at: object = NOON) -> dict[str, float]:
    one = replace(event("AxVec", 1), committed_at=committed_at, captured_ms=captured_ms)  # type: ignore[arg-type]
    message = Message("ajera.AxVec", 0, 0, b"", b"", kafka_ms)
    polled_at, applied_at = NOON + timedelta(seconds=6), NOON + timedelta(seconds=10)
    return dict(times_of(one, message, polled_at, applied_at))


def test_each_hop_is_a_stretch_of_the_way_and_together_they_are_the_delay() -> None:
    """Commit, connector, Kafka, consumer, target."""
    found = hops(CAPTURED, IN_KAFKA)
    assert found == {"captured": 1.0, "broker": 2.0, "polled": 3.0, "applied": 4.0}
    assert sum(found.values()) == 10.0


def test_a_clock_that_runs_ahead_makes_no_hop_negative() -> None:
    """The source's may be minutes off."""
    assert hops(CAPTURED, IN_KAFKA, NOON + timedelta(minutes=5))["captured"] == 0.0


@pytest.mark.parametrize("captured_ms", [0, -5, 1 << 62])
def test_a_hop_without_both_ends_is_left_out(captured_ms: int) -> None:
    """A connector of before, or a time that no calendar has: not zero."""
    assert set(hops(captured_ms, IN_KAFKA)) == {"polled", "applied"}
    assert set(hops(captured_ms, 0)) == {"applied"}
