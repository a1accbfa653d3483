"""Patience: what is transient is tried again without end, with growing pauses,
until a stop is asked for. A service that refuses us is tried again for a limited time only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import tenacity

from pipeline.engine.consumer.ports import Clock, Telemetry
from pipeline.errors import CredentialsRefused, PipelineError, Remedy

T = TypeVar("T")


class Stopped(Exception):
    """A stop was asked for while something transient was waited for;
    what was attempted is abandoned.
    """


REFUSED_PAUSE_SECONDS = 30.0  # the first; it doubles: many wrong passwords lock an account
MISSING_PAUSE_SECONDS = (
    1.0  # the same of what locks nothing: a database that is being restored, say
)


class Retrier:
    """How long the pauses are, in seconds, and what is done in them:
    `rest` so many seconds at most; `stop` ends them. `refused_seconds`: how long a service that
    refuses us is tried again (0: its first refusal is raised).
    """

    def __init__(
        self,
        *,
        first_seconds: float,
        most_seconds: float,
        refused_seconds: float = 0.0,
        telemetry: Telemetry,
        clock: Clock,
        stop: Callable[[], bool],
        rest: Callable[[float], None],
    ) -> None:
        self._pauses = tenacity.wait_random_exponential(multiplier=first_seconds, max=most_seconds)
        self._refused_seconds = refused_seconds
        self._telemetry = telemetry
        self._clock = clock
        self._stop = stop
        self._rest = rest

    def attempt(self, call: Callable[[], T]) -> T:
        """Call until it does not fail with an error that is transient. Raises other errors, one
        of a service that has refused us for `refused_seconds`, and Stopped.
        """
        failed = False
        refusals = Refusals(self._refused_seconds, self._clock)

        def before_sleep(state: tenacity.RetryCallState) -> None:
            nonlocal failed
            failed = True
            error = state.outcome.exception() if state.outcome is not None else None
            if isinstance(error, PipelineError):
                self._telemetry.retried(error)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(
                lambda e: isinstance(e, PipelineError) and refusals.may_try_again(e)
            ),
            wait=lambda state: refusals.pause or self._pauses(state),
            sleep=self._pause,
            before_sleep=before_sleep,
            reraise=True,
        )
        try:
            return retrying(call)
        except Stopped:
            failed = False  # nothing is over: it was abandoned
            raise
        finally:
            if failed:  # also where another error takes its place: that one is told by itself
                self._telemetry.recovered()

    def _pause(self, seconds: float) -> None:
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0:
            if self._stop():
                raise Stopped
            self._rest(min(left, 0.5))


class Refusals:
    """The refusals of one call: since when they follow each other, and how many there were."""

    def __init__(self, most_seconds: float, clock: Clock) -> None:
        self._most_seconds = most_seconds
        self._clock = clock
        self._since: float | None = None
        self._count = 0
        self._first = REFUSED_PAUSE_SECONDS

    def may_try_again(self, error: PipelineError) -> bool:
        if error.remedy is not Remedy.RETRY_FOR_A_WHILE:
            self._since, self._count = None, 0
            return error.is_transient
        now = self._clock.monotonic()
        self._since = now if self._since is None else self._since
        is_locking = isinstance(error, CredentialsRefused)
        self._first = REFUSED_PAUSE_SECONDS if is_locking else MISSING_PAUSE_SECONDS
        self._count += 1
        return now - self._since < self._most_seconds

    @property
    def pause(self) -> float | None:
        """Seconds until the next try; None after a failure that is no refusal."""
        if self._since is None:
            return None
        left = self._since + self._most_seconds - self._clock.monotonic()
        return min(self._first * 2.0 ** min(self._count - 1, 20), max(left, 0.0))
