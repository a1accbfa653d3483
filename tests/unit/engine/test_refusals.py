"""A service that refuses us is tried again for a stated time, with few tries; what is down is
waited for without end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from pipeline.engine.consumer.retry import (
    MISSING_PAUSE_SECONDS,
    REFUSED_PAUSE_SECONDS,
    Retrier,
)
from pipeline.errors import (
    CredentialsRefused,
    DatabaseMissing,
    PipelineError,
    ServiceUnreachable,
    TargetRefused,
)
from tests.support.engine import Counted
from tests.twins.clock import SimulatedClock

QUARTER_OF_AN_HOUR = 900.0


def retrier(clock: SimulatedClock, refused_seconds: float) -> Retrier:
    return Retrier(
        first_seconds=0.2,
        most_seconds=30.0,
        refused_seconds=refused_seconds,
        telemetry=Counted(),
        clock=clock,
        stop=lambda: False,
        rest=clock.advance,
    )


class Service:
    """One that fails with these errors in turn, the last of them always."""

    def __init__(self, clock: SimulatedClock, errors: Sequence[PipelineError | None]) -> None:
        self.tried_at: list[float] = []
        self._clock = clock
        self._errors: Iterator[PipelineError | None] = iter(errors)
        self._last = errors[-1]

    def __call__(self) -> str:
        self.tried_at.append(self._clock.monotonic())
        error = next(self._errors, self._last)
        if error is not None:
            raise error
        return "done"


@pytest.mark.parametrize("refusal", [CredentialsRefused("no"), DatabaseMissing("no")])
def test_a_refusal_ends_at_once_where_nobody_was_let_in_before(refusal: PipelineError) -> None:
    """A command, and a consumer at its start: a person sees the typing error in a second."""
    clock = SimulatedClock()
    service = Service(clock, [refusal])
    with pytest.raises(type(refusal)):
        retrier(clock, 0.0).attempt(service)
    assert service.tried_at == [0.0]


def test_a_password_that_is_being_rotated_heals() -> None:
    """A consumer that was running finds the new password at one of its next tries."""
    clock = SimulatedClock()
    service = Service(clock, [CredentialsRefused("no"), CredentialsRefused("no"), None])
    assert retrier(clock, QUARTER_OF_AN_HOUR).attempt(service) == "done"
    first, second, third = service.tried_at
    assert second - first == pytest.approx(REFUSED_PAUSE_SECONDS)
    assert third - second == pytest.approx(2 * REFUSED_PAUSE_SECONDS)


def test_a_database_that_is_not_there_for_a_moment_is_found_within_seconds() -> None:
    """It is being restored under its name: nothing is locked by asking."""
    clock = SimulatedClock()
    service = Service(clock, [DatabaseMissing("no"), DatabaseMissing("no"), None])
    assert retrier(clock, QUARTER_OF_AN_HOUR).attempt(service) == "done"
    assert service.tried_at[-1] == pytest.approx(3 * MISSING_PAUSE_SECONDS)


def test_a_refusal_that_lasts_ends_the_consumer_after_the_stated_time_and_few_tries() -> None:
    """Many tries with a wrong password lock the account, for people too."""
    clock = SimulatedClock()
    service = Service(clock, [CredentialsRefused("no")])
    with pytest.raises(CredentialsRefused):
        retrier(clock, QUARTER_OF_AN_HOUR).attempt(service)
    assert service.tried_at[-1] == pytest.approx(QUARTER_OF_AN_HOUR)
    assert len(service.tried_at) < 10


def test_a_server_that_is_down_is_waited_for_longer_than_a_refusal() -> None:
    """It comes back some time, and nothing of ours is wrong."""
    clock = SimulatedClock()
    service = Service(clock, [*[ServiceUnreachable("down")] * 1_000, None])
    assert retrier(clock, 0.0).attempt(service) == "done"
    assert clock.monotonic() > QUARTER_OF_AN_HOUR


def test_the_time_of_refusals_begins_again_after_the_server_was_down() -> None:
    """A server that was restored, and takes its users last, is not given up for the outage."""
    clock = SimulatedClock()
    refused, down = CredentialsRefused("no"), ServiceUnreachable("down")
    service = Service(clock, [refused, *[down] * 100, refused, refused, None])
    assert retrier(clock, 100.0).attempt(service) == "done"


def test_what_trying_again_does_not_change_is_tried_once() -> None:
    """It is neither down nor a refusal."""
    clock = SimulatedClock()
    service = Service(clock, [TargetRefused("no")])
    with pytest.raises(TargetRefused):
        retrier(clock, QUARTER_OF_AN_HOUR).attempt(service)
    assert len(service.tried_at) == 1
