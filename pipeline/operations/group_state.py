"""What a consumer group does, in one word, by Burrow's rules."""

from __future__ import annotations

from enum import StrEnum


class GroupVerdict(StrEnum):
    """From nothing known to all well. `is_well`: nobody needs to look."""

    NEVER_RAN = "never ran"  # no consumer, and no offset of one
    REWOUND = "rewound"  # no consumer runs, and its next offsets were set back
    STOPPED = "stopped"  # messages wait, perhaps, and there is no consumer
    NO_MEMBERS = "no members"  # nothing waits, but nobody would take it
    UNKNOWN = "unknown"  # a topic is gone, or another one than was read
    STALLED = "stalled"  # there are consumers, and what waits was not begun for long
    WARN = "warn"  # it goes on, and is later than it should be
    OK = "ok"

    @property
    def is_well(self) -> bool:
        return self is GroupVerdict.OK


def verdict(
    *,
    members: int,
    has_committed: bool,
    lag: int | None,
    rewound: int,
    delay_seconds: float | None,
    idle_seconds: float | None,
    objective_seconds: float,
) -> GroupVerdict:
    """`lag` in messages, None if unknown. `rewound`: messages that are applied, and are read again.
    `idle_seconds`: since a partition in which messages wait
    was last moved on, None if unknown or if none wait.
    """
    if not members:
        if not has_committed:
            return GroupVerdict.NEVER_RAN
        if rewound:
            return GroupVerdict.REWOUND
        return GroupVerdict.NO_MEMBERS if lag == 0 else GroupVerdict.STOPPED
    if lag is None:
        return GroupVerdict.UNKNOWN
    if lag == 0 or delay_seconds is None or delay_seconds <= objective_seconds:
        return GroupVerdict.OK
    if idle_seconds is not None and idle_seconds > objective_seconds:
        return GroupVerdict.STALLED
    return GroupVerdict.WARN
