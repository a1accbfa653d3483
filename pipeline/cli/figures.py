"""Figures in words: what is not known is called unknown, and never looks like zero."""

from __future__ import annotations

from datetime import datetime

UNKNOWN = "unknown"


def count(number: int | None) -> str:
    return UNKNOWN if number is None else f"{number:,}"


def seconds(number: float | None) -> str:
    return UNKNOWN if number is None else f"{number:,.1f} s"


def ago(number: float | None) -> str:
    return UNKNOWN if number is None else f"{seconds(number)} ago"


def seconds_since(at: datetime) -> float:
    """A clock that runs ahead of ours gives 0."""
    return max((datetime.now(at.tzinfo) - at).total_seconds(), 0.0)


def clock(at: datetime | None) -> str:
    """The time of day, with the date if that was yesterday or earlier."""
    if at is None:
        return UNKNOWN
    today = datetime.now(at.tzinfo).date()
    return f"{at:%H:%M:%S}" if at.date() == today else f"{at:%Y-%m-%d %H:%M:%S}"


def members(number: int) -> str:
    return "1 member" if number == 1 else f"{number:,} members"


def messages(number: int | None) -> str:
    return "1 message" if number == 1 else f"{count(number)} messages"


def client(identifier: str, group: str) -> str:
    """Host and process of a consumer, where its id says the group before them."""
    return identifier.removeprefix(f"{group}-")
