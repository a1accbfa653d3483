"""Recognising a second writer: Deltek's own scheduled sync, left switched on beside ours,
would fight it.

Its trace: edits that say just what the other side holds or was edited to.
Two people seldom type the same; a program that copies always does.
"""

from __future__ import annotations

from collections import deque

SECOND_WRITER = "second_writer_seen_at"  # the setting in `sync` that says when
LAST_EDITS = 100
SHARE = 0.2
LEAST = 10
TODO = (
    "Switch Deltek's own sync off: in Ajera, Company > Preferences > Integration > CRM, "
    "set Auto Run to None; in DPS, untick Enable Ajera Synchronization."
)


class SecondWriter:
    """Watches the newest edits; pure, fed with one truth an edit."""

    def __init__(self) -> None:
        self._edits: deque[bool] = deque(maxlen=LAST_EDITS)

    def edited(self, edits: int, coincident: int) -> bool:
        """So many edits were seen, so many of them said what the other side says;
        True once a second writer shows.
        """
        was = self._shows()
        self._edits.extend([True] * coincident + [False] * (edits - coincident))
        return self._shows() and not was

    def _shows(self) -> bool:
        copies = sum(self._edits)
        return copies >= LEAST and copies >= SHARE * len(self._edits)
