"""Time in memory: given by the test, it only moves on."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

MICROSECOND = timedelta(microseconds=1)


class Ticks:
    """A clock (port `Clock`) that each reading moves on by one step, whoever reads it."""

    def __init__(self, start: datetime, step: timedelta = MICROSECOND) -> None:
        self._start = start
        self._now = start
        self._step = step
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Later than every time that was read before."""
        with self._lock:
            self._now += self._step
            return self._now

    def monotonic(self) -> float:
        """Seconds since the start."""
        return (self.now() - self._start).total_seconds()

    def wait(self, time: timedelta) -> None:
        """This much time goes by."""
        with self._lock:
            self._now += time


class SimulatedClock:
    """A clock (port `Clock`) on which time passes only when somebody rests."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._seconds = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self._seconds

    def advance(self, seconds: float) -> None:
        """So many seconds pass at once."""
        self._seconds += seconds
