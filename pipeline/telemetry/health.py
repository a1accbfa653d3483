"""The state of a consumer: ok, degraded (it waits for a service and resumes by itself) or halted (a
person is needed).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Literal

State = Literal["ok", "degraded", "halted"]


@dataclass
class Health:
    """Thread-safe. Reasons by code, for the operator. `ready` once the consumer has
    joined its group.
    """

    _degraded: dict[str, str] = field(default_factory=dict)
    _halted: dict[str, str] = field(default_factory=dict)
    _ready: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def degrade(self, code: str, sentence: str) -> None:
        with self._lock:
            self._degraded[code] = sentence

    def recover(self) -> None:
        """The service that the consumer waited for is available."""
        with self._lock:
            self._degraded.clear()

    def halt(self, place: str, sentence: str) -> None:
        with self._lock:
            self._halted[place] = sentence

    def become_ready(self) -> None:
        with self._lock:
            self._ready = True

    @property
    def ready(self) -> bool:
        with self._lock:
            return self._ready

    def report(self) -> tuple[State, dict[str, str]]:
        """The state, and every reason for it."""
        with self._lock:
            reasons = {**self._degraded, **self._halted}
            return ("halted" if self._halted else "degraded" if self._degraded else "ok"), reasons
