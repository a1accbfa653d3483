"""Patience ends when its cause does, however it ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.engine.consumer.retry import Retrier
from pipeline.errors import PipelineError, TargetBusy, TargetRefused
from tests.support.engine import Clock, Counted


class Heard(Counted):
    """Remembers what it was told of patience."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def retried(self, error: PipelineError) -> None:
        self.told.append(error.code)

    def recovered(self) -> None:
        self.told.append("recovered")


def attempt(heard: Heard, *errors: PipelineError) -> Callable[[], int]:
    left = list(errors)

    def call() -> int:
        if left:
            raise left.pop(0)
        return 7

    retrier = Retrier(
        first_seconds=0.0,
        most_seconds=0.0,
        telemetry=heard,
        clock=Clock(),
        stop=lambda: False,
        rest=lambda _: None,
    )
    return lambda: retrier.attempt(call)


def test_what_was_waited_for_is_over_once_it_works() -> None:
    """It is told once, after every retry."""
    heard = Heard()
    assert attempt(heard, TargetBusy("x"), TargetBusy("x"))() == 7
    assert heard.told == ["target.busy", "target.busy", "recovered"]


def test_what_was_waited_for_is_over_too_when_another_error_comes() -> None:
    """Else a gauge would say for ever that the consumer waits."""
    heard = Heard()
    with pytest.raises(TargetRefused):
        attempt(heard, TargetBusy("x"), TargetRefused("y"))()
    assert heard.told == ["target.busy", "recovered"]


def test_an_error_at_once_is_no_patience() -> None:
    """Nobody waited."""
    heard = Heard()
    with pytest.raises(TargetRefused):
        attempt(heard, TargetRefused("y"))()
    assert heard.told == []
