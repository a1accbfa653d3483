"""What people type for an option or argument: a value that cannot be meant is refused in the words
of what was asked, before anything is connected to.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

MOST = 2**63 - 1  # of an offset, and of a number in either database
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Whole(click.ParamType):  # type: ignore[type-arg] # generic in the newest click alone
    """A whole number from `least` to `most`."""

    name = "number"

    def __init__(self, least: int, most: int = MOST) -> None:
        self.least = least
        self.most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            number = int(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a whole number.", param, ctx)
        if number < self.least:
            self.fail(f"{number} is too small: it begins at {self.least}.", param, ctx)
        if number > self.most:
            self.fail(f"{number} is too large: it ends at {self.most}.", param, ctx)
        return number


class Seconds(click.ParamType):  # type: ignore[type-arg]
    """A number of seconds, 0 or more."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        if not 0 <= number < float("inf"):
            self.fail(f"{value} is not a number of seconds of 0 or more.", param, ctx)
        return number


class Name(click.ParamType):  # type: ignore[type-arg]
    """A name, which is not empty; `what` it names."""

    name = "name"

    def __init__(self, what: str) -> None:
        self.what = what

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if not text.strip():
            self.fail(f"{self.what} is empty.", param, ctx)
        if not text.isprintable():
            self.fail(f"{self.what} holds a character that cannot be printed.", param, ctx)
        return text


class Moment(click.ParamType):  # type: ignore[type-arg]
    """A time that has been, with its zone, in ISO 8601."""

    name = "time"

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        try:
            time = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time in ISO 8601.", param, ctx)
        if time.tzinfo is None:
            self.fail(f"{value} has no zone: add Z for UTC, or -08:00.", param, ctx)
        if time < EPOCH:
            self.fail(
                f"{value} is before 1970, where Kafka's times begin; --to-beginning reads all that "
                "there is.",
                param,
                ctx,
            )
        if time > self._now():
            self.fail(f"{value} is in the future: nothing has arrived since.", param, ctx)
        return time
