"""Lines that libraries repeat: each is written once in a while, with how often it was said since.

librdkafka says several times a second that a broker is unavailable. The same line is one whose
addresses and words are the same; counters and durations in it may differ.
"""

from __future__ import annotations

import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

REPEATED_AFTER_SECONDS = 600.0
REMEMBERED_LINES = 1_000
_VARYING = re.compile(r"\(after [^)]*\)|rdkafka#[\w-]+|\b\d+(?:ms|us|s)\b|\b\d+/\d+\b|0x[0-9a-f]+")


@dataclass
class _Said:
    written_at: float
    repeated: int = 0


class Folding(logging.Filter):
    """Lets a line of a library through if it was not written in the last `seconds`. Our own lines,
    which are structured, always pass: each says something new. Not thread-safe by itself: a handler
    asks it under no lock, so two threads may each write a line once.
    """

    def __init__(
        self,
        seconds: float = REPEATED_AFTER_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._seconds = seconds
        self._clock = clock
        self._said: OrderedDict[tuple[str, int, str], _Said] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        if not isinstance(record.msg, str):
            return True
        now, text = self._clock(), record.getMessage()
        line = (record.name, record.levelno, _VARYING.sub("#", text))
        said = self._said.get(line)
        if said is not None and now - said.written_at < self._seconds:
            said.repeated += 1
            return False
        if said is not None and said.repeated:
            record.msg = f"{text} ({said.repeated} more in {now - said.written_at:.0f} s)"
            record.args = ()
        self._said[line] = _Said(now)
        self._said.move_to_end(line)
        while len(self._said) > REMEMBERED_LINES:
            self._said.popitem(last=False)
        return True
