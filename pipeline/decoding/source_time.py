"""When a message's change was committed in the source, without decoding its row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.decoding.metadata import committed_at_of
from pipeline.decoding.wire import split
from pipeline.errors import PipelineError
from pipeline.model.event import Message

if TYPE_CHECKING:  # a route with nothing behind asks for no schema: `lag` starts without them
    from pipeline.decoding.avro import WriterSchema

MILLISECONDS = 1000
END_MS = 253_402_300_800_000  # the year 10000


class SourceTimes:
    """Reads the time of a message. `find`: the writer schema of an id, or why there is none."""

    def __init__(self, find: Callable[[int], WriterSchema | PipelineError]) -> None:
        self._find = find

    def of(self, message: Message) -> datetime | None:
        """The commit in the source. Where that cannot be read (a tombstone, a message that no
        schema is known of), when it was produced, which is later; None where neither is known.
        """
        return self._committed_at(message) or produced_at(message)

    def _committed_at(self, message: Message) -> datetime | None:
        if message.value is None:
            return None
        try:
            schema_id, body = split(message.value)
            schema = self._find(schema_id)
            if isinstance(schema, PipelineError):
                return None
            return committed_at_of(schema.read(body)["__source_ts_ms"])
        except (PipelineError, KeyError):
            return None


def produced_at(message: Message) -> datetime | None:
    """Kafka's time of the message; None where it has none."""
    return at_ms(message.timestamp_ms) if 0 < message.timestamp_ms < END_MS else None


def at_ms(milliseconds: int) -> datetime:
    """Milliseconds since 1970 UTC as an instant."""
    return datetime.fromtimestamp(milliseconds / MILLISECONDS, UTC)
