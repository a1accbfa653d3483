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
    _waiting: dict[str, str] = field(default_factory=dict)
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

    def wait(self, place: str, sentence: str) -> None:
        """What is halted there may resume by itself."""
        with self._lock:
            self._waiting[place] = sentence

    def resume(self, place: str) -> None:
        """What was halted there continues, or is another consumer's now."""
        with self._lock:
            self._halted.pop(place, None)
            self._waiting.pop(place, None)

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
            degraded = {**self._degraded, **self._waiting}
            state: State = "halted" if self._halted else "degraded" if degraded else "ok"
            return state, {**degraded, **self._halted}
