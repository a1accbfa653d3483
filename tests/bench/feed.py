"""A workload as messages: encoded once, and sent to the topics of each contender's run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from deploy.local.stack import Stack
from pipeline.decoding.wire import join
from tests.bench.produce import encoded, producer, registered
from tests.bench.workloads import Phase, Workload

FLUSH_SECONDS = 120
SENT_AT_ONCE = 10_000  # before the producer is asked how it goes
MOST_UNSENT = 50_000  # of the producer's queue, which refuses what has no room in it
Encoded = Sequence[tuple[bytes, bytes]]


class Feed:
    """All messages of a workload, in memory."""

    def __init__(self, stack: Stack, workload: Workload) -> None:
        self._producer = producer(stack.bootstrap)
        schemas = {
            name: registered(table, f"bench-{workload.route}.{name}", stack.registry)
            for name, table in workload.tables.items()
        }
        self._messages: Mapping[int, Encoded] = {
            id(phase): list(_encoded(phase, *schemas[phase.table.name]))
            for phase in (*workload.before, *workload.phases)
        }

    def send(self, prefix: str, phase: Phase) -> None:
        """To the topic of the phase's table under this prefix; returns when the broker has all."""
        topic = f"{prefix}.{phase.table.name}"
        for number, (key, value) in enumerate(self._messages[id(phase)]):
            self._producer.produce(topic, value, key)
            while number % SENT_AT_ONCE == 0 and len(self._producer) > MOST_UNSENT:
                self._producer.poll(0.1)
        self._producer.flush(FLUSH_SECONDS)


def _encoded(phase: Phase, schema_id: int, parsed: object) -> Iterator[tuple[bytes, bytes]]:
    for change in phase.changes:
        key, body = encoded(phase.table, parsed, change)
        yield key, join(schema_id, body)
