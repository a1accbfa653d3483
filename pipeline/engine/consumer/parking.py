"""How fast rows are parked: many at once are a fault that no single row explains."""

from __future__ import annotations

from collections import deque
from typing import Final

WINDOW_SECONDS: Final = 60.0


class ParkingRate:
    """Remembers for a minute how many rows waited."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def rise(self, monotonic: float, waiting: int) -> int:
        """How many more rows wait now than at some time of the last minute."""
        self._seen.append((monotonic, waiting))
        while self._seen[0][0] < monotonic - WINDOW_SECONDS:
            self._seen.popleft()
        return waiting - min(count for _, count in self._seen)
