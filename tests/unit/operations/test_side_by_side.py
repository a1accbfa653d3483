"""Calls side by side."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from pipeline.operations.side_by_side import side_by_side

PATIENCE_SECONDS = 10.0


def test_all_are_called_at_the_same_time_and_answer_in_their_order() -> None:
    """Each waits for every other one."""
    meeting = threading.Barrier(3, timeout=PATIENCE_SECONDS)

    def call(number: int) -> int:
        meeting.wait()
        return number

    assert side_by_side([partial(call, number) for number in range(3)]) == [0, 1, 2]


def test_what_a_call_raises_is_raised() -> None:
    """Of several the first."""

    def fail(words: str) -> object:
        raise LookupError(words)

    with pytest.raises(LookupError, match="one"):
        side_by_side([partial(object), partial(fail, "one"), partial(fail, "two")])


def test_nothing_is_asked_of_nobody() -> None:
    """A route without a system, say."""
    assert side_by_side([]) == []
