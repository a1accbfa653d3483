"""Patience: what is transient is tried again without end, with growing pauses,
until a stop is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import tenacity

from pipeline.engine.consumer.ports import Clock, Telemetry
from pipeline.errors import PipelineError, Remedy

T = TypeVar("T")


class Stopped(Exception):
    """A stop was asked for while something transient was waited for;
    what was attempted is abandoned.
    """


class Retrier:
    """How long the pauses are, in seconds, and what is done in them:
    `rest` so many seconds at most; `stop` ends them.
    """

    def __init__(
        self,
        *,
        first_seconds: float,
        most_seconds: float,
        telemetry: Telemetry,
        clock: Clock,
        stop: Callable[[], bool],
        rest: Callable[[float], None],
    ) -> None:
        self._pauses = tenacity.wait_random_exponential(multiplier=first_seconds, max=most_seconds)
        self._telemetry = telemetry
        self._clock = clock
        self._stop = stop
        self._rest = rest

    def attempt(self, call: Callable[[], T]) -> T:
        """Call until it does not fail with an error whose remedy is retry. Raises other errors,
        and Stopped.
        """
        failed = False

        def before_sleep(state: tenacity.RetryCallState) -> None:
            nonlocal failed
            failed = True
            error = state.outcome.exception() if state.outcome is not None else None
            if isinstance(error, PipelineError):
                self._telemetry.retried(error)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(
                lambda e: isinstance(e, PipelineError) and e.remedy is Remedy.RETRY
            ),
            wait=self._pauses,
            sleep=self._pause,
            before_sleep=before_sleep,
            reraise=True,
        )
        result = retrying(call)
        if failed:
            self._telemetry.recovered()
        return result

    def _pause(self, seconds: float) -> None:
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0:
            if self._stop():
                raise Stopped
            self._rest(min(left, 0.5))
