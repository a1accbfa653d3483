"""How often an outage is logged: when it begins, then ever more rarely, and when it is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

FIRST_DISTANCE_SECONDS = 60.0  # between the first two lines of a cause; it doubles
LONGEST_DISTANCE_SECONDS = 900.0


@dataclass
class _Cause:
    said_at: float
    distance: float = FIRST_DISTANCE_SECONDS


@dataclass
class Outages:
    """Failures that are retried, from the first one to the recovery. Each code is a cause."""

    clock: Callable[[], float] = time.monotonic
    tries: int = 0
    _since: float | None = None
    _causes: dict[str, _Cause] = field(default_factory=dict)

    def failed(self, code: str) -> bool:
        """Another try failed: is it to be logged."""
        now = self.clock()
        self.tries += 1
        self._since = now if self._since is None else self._since
        cause = self._causes.get(code)
        if cause is None:
            self._causes[code] = _Cause(now)
            return True
        if now - cause.said_at < cause.distance:
            return False
        cause.said_at, cause.distance = now, min(2 * cause.distance, LONGEST_DISTANCE_SECONDS)
        return True

    @property
    def seconds(self) -> float:
        """Since the first failure."""
        return 0.0 if self._since is None else self.clock() - self._since

    def over(self) -> None:
        """It recovered."""
        self._since, self.tries = None, 0
        self._causes.clear()
