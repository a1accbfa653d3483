"""Events that many at once are staged of, in one statement: each with a whole image of its row, and
one a row.
"""

from __future__ import annotations

from pipeline.model.event import Event, Value
from pipeline.model.frozen import light


@light(frozen=True, slots=True)
class PlainEvent:
    """An event that holds every column of its row, and what its image alone gives of the columns
    that are remembered, in their order.
    """

    event: Event
    remembered: tuple[Value, ...]


@light(frozen=True, slots=True)
class PlainChange:
    """What such an event did to its row, which was new, or neither retired nor partly unknown:
    whether a mirrored column is another than before, whether one is that other rows read, and the
    remembered columns as they are now.
    """

    is_changed: bool
    is_shared_changed: bool
    remembered: tuple[Value, ...]
