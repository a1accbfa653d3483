"""The marks of a large batch are one row: durable, given back once, and found by nobody before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.engine.consumer.ports import Target
from pipeline.model.ledger import Mark
from tests.support.events import NOON

PAIRS = {("AxVec.shared", "1"), ("AxVec.shared", '2"é'), ("AxProject", "2")}


def set_together(target: Target, number: int = 7) -> None:
    with target.transaction() as transaction:
        marks = [Mark(kind, key, number) for kind, key in sorted(PAIRS)]
        transaction.mark_together(marks, NOON + timedelta(seconds=number))


def test_marks_that_were_set_together_are_given_back_once(target: Target) -> None:
    """To whoever takes them; they are no marks of their own meanwhile."""
    set_together(target)
    with target.transaction() as transaction:
        assert transaction.marks_of(PAIRS) == []
        assert not transaction.has_marks("AxProject")
        assert transaction.take_together() == PAIRS
        assert transaction.take_together() == set()


def test_only_those_that_were_set_before_a_time_are_taken(target: Target) -> None:
    """Younger ones are in somebody's hands."""
    set_together(target)
    with target.transaction() as transaction:
        assert transaction.take_together(NOON + timedelta(seconds=7)) == set()
        assert transaction.take_together(NOON + timedelta(seconds=8)) == PAIRS


def test_marks_that_were_recomputed_are_removed_by_their_number(target: Target) -> None:
    """Those of another batch stay, and nothing is wrong where somebody took them before."""
    set_together(target, 7)
    set_together(target, 8)
    with target.transaction() as transaction:
        transaction.clear_together(8)
        transaction.clear_together(9)
        assert transaction.take_together(NOON + timedelta(seconds=8)) == PAIRS
        assert transaction.take_together() == set()


def test_a_transaction_that_fails_leaves_them(target: Target) -> None:
    """Who takes them and dies has taken nothing."""
    set_together(target)

    def take_and_die() -> None:
        with target.transaction() as transaction:
            assert transaction.take_together() == PAIRS
            raise InterruptedError

    with pytest.raises(InterruptedError):
        take_and_die()
    with target.transaction() as transaction:
        assert transaction.take_together() == PAIRS
