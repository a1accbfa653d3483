"""How fast rows are parked, over the last minute."""

from __future__ import annotations

from pipeline.engine.consumer.parking import ParkingRate


def test_what_was_parked_within_a_minute_is_counted() -> None:
    """From the fewest that waited meanwhile."""
    rate = ParkingRate()
    found = [
        rate.rise(float(at), waiting) for at, waiting in ((0, 50), (5, 60), (10, 20), (15, 90))
    ]
    assert found == [0, 10, 0, 70]


def test_what_was_parked_longer_ago_is_not() -> None:
    """Then it is no rise any more, though the rows still wait."""
    rate = ParkingRate()
    rate.rise(0.0, 0)
    assert rate.rise(30.0, 5000) == 5000
    assert rate.rise(60.0, 5000) == 5000
    assert rate.rise(91.0, 5000) == 0


def test_a_consumer_that_starts_with_many_parked_rows_has_parked_none() -> None:
    """They were there before."""
    assert ParkingRate().rise(7.0, 9000) == 0
