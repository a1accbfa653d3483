"""What a connector's stack trace means, in one sentence for the operator."""

from __future__ import annotations

import re
from typing import Final

from pipeline.connect.causes import CAUSES, Recovery

CAUSED_BY: Final = "Caused by: "
# May contain a value: quoted or bracketed text, what follows the word value, and longer numbers,
# times, addresses.
VALUES: Final = re.compile(
    r"\"[^\"]*\"|'[^']*'|`[^`]*`|\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}"
    r"|(?<=\bvalue )\S+|(?<=\bvalue: )\S+|(?<==)\S+|\d[\d.,:/-]{2,}\d"
)


def explain(trace: str) -> str:
    """One sentence on a connector's stack trace.

    A known cause has a sentence of ours. Otherwise it is the root cause's own line (the last
    `Caused by:`), shortened, with everything that may be a value replaced by `…`.
    """
    for cause in CAUSES:
        if cause.is_in(trace):
            return cause.sentence
    return root_line(trace)


def recovery_of(trace: str) -> Recovery:
    """What ends the failure that a stack trace shows; a restart, where its cause is unknown."""
    return next((cause.recovery for cause in CAUSES if cause.is_in(trace)), Recovery.RESTART)


def root_line(trace: str) -> str:
    """The last `Caused by:` line, else the first line,
    without values and at most 300 characters long.
    """
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    roots = [line.removeprefix(CAUSED_BY) for line in lines if line.startswith(CAUSED_BY)]
    line = roots[-1] if roots else (lines[0] if lines else "The connector says nothing.")
    return without_values(line)[:300]


def without_values(text: str) -> str:
    """The text with everything that may be a value replaced by `…`."""
    return VALUES.sub("…", text)
