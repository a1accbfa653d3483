"""Many messages decoded by a decoder that knows them one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.model.event import Decoded, Event, Message


def many(
    decode: Callable[[Message, int], Decoded],
    messages: Sequence[Message],
    start: int,
    incarnation: int,
) -> Sequence[Event]:
    """Events from `start` on, up to the first message that gives none."""
    found: list[Event] = []
    for message in messages[start:]:
        decoded = decode(message, incarnation)
        if not isinstance(decoded, Event):
            break
        found.append(decoded)
    return found
