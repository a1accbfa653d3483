"""How far each source table of a route that is not loaded yet is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pipeline.database.state.status import TableStatus
from pipeline.model.load import LOADED
from pipeline.operations.lag import Lag
from pipeline.operations.standing import RouteState


def with_progress(state: RouteState, topics: Mapping[str, str], found: Lag | None) -> RouteState:
    """`topics`: by table. `found`: what Kafka says, if it answered."""
    read = _by_topic((one.topic, one.next_offset) for one in state.partitions)
    ends = _by_topic((one.topic, one.end) for one in found.partitions) if found else {}

    def of(table: TableStatus) -> TableStatus:
        topic = topics[table.name]
        return replace(table, read=read.get(topic, 0), there=ends.get(topic))

    tables = (one if one.state == LOADED else of(one) for one in state.tables)
    return replace(state, tables=tuple(tables))


def _by_topic(offsets: Iterable[tuple[str, int]]) -> Mapping[str, int]:
    total: Counter[str] = Counter()
    for topic, offset in offsets:
        total[topic] += offset
    return total
