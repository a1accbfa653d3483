"""Traces of another program that copies between the two systems."""

from __future__ import annotations

from pipeline.engine.exchange.second_writer import LEAST, SecondWriter


def test_people_who_now_and_then_type_the_same_are_no_second_writer() -> None:
    """One in twenty says what the other side says."""
    watched = SecondWriter()
    assert not any(watched.edited(20, 1) for _ in range(50))


def test_a_program_that_copies_is_told_of_once_while_it_goes_on() -> None:
    """And again when it comes back after it had stopped."""
    watched = SecondWriter()
    told = [watched.edited(2, 1) for _ in range(50)]
    assert told.count(True) == 1
    assert told.index(True) == LEAST - 1
    for _ in range(20):
        watched.edited(20, 0)
    assert any(watched.edited(2, 2) for _ in range(20))
