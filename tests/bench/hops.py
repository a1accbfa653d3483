"""Where a change was when: what its message says, what the broker noted, and what our consumer's
own metric says of the way behind the broker.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import fastavro
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined] # it imports them without `as`
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from confluent_kafka.schema_registry import SchemaRegistryClient
from prometheus_client.parser import text_string_to_metric_families

from deploy.demo.consumers import ask
from deploy.local.stack import Stack

METRIC = "pipeline_hop_seconds"
CAPTURED, IN_KAFKA, WRITTEN = "commit to Debezium", "Debezium to Kafka", "Kafka to the row"
TOLD = {"polled": "from Kafka to the consumer", "applied": "from there to the target's commit"}
LOOK_SECONDS = 5.0
HEADER = 5  # bytes before an Avro body
Sums = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Passed:
    """When Debezium made a change's event, and when the broker had it: seconds since 1970."""

    captured: float
    in_kafka: float


@dataclass
class Hops:
    """Seconds of each change by hop; and means that the consumer tells."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    means: dict[str, list[float]] = field(default_factory=dict)

    def add(
        self,
        passed: Mapping[int, Passed],
        committed: Mapping[int, datetime],
        shown: Mapping[int, datetime],
    ) -> None:
        """Of changes by key."""
        for key, at in committed.items():
            one = passed[key]
            for hop, seconds in (
                (CAPTURED, one.captured - at.timestamp()),
                (IN_KAFKA, one.in_kafka - one.captured),
                (WRITTEN, shown[key].timestamp() - one.in_kafka),
            ):
                self.seconds.setdefault(hop, []).append(max(seconds, 0.0))

    def told(self, before: Sums, after: Sums) -> None:
        """What the metric said before a load and after it."""
        for hop, (total, number) in after.items():
            earlier = before.get(hop, (0.0, 0.0))
            if number > earlier[1]:
                mean = (total - earlier[0]) / (number - earlier[1])
                self.means.setdefault(hop, []).append(mean)

    def remarks(self) -> list[str]:
        return [
            f"{words}: {sum(self.means[hop]) / len(self.means[hop]) * 1000:,.0f} ms (mean)"
            for hop, words in TOLD.items()
            if hop in self.means
        ]


def stamped_by_broker(stack: Stack, topic: str) -> None:
    """From now on a message's time is when the broker had it."""
    entry = ConfigEntry(
        "message.timestamp.type", "LogAppendTime", incremental_operation=AlterConfigOpType.SET
    )
    of = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": stack.bootstrap})
    for done in admin.incremental_alter_configs([of]).values():
        done.result(30)


def passed(stack: Stack, topic: str, since: float) -> Mapping[int, Passed]:
    """By key, of the newest message since that time."""
    registry = SchemaRegistryClient({"url": stack.registry})
    schemas: dict[int, Any] = {}
    found: dict[int, Passed] = {}
    reader = Consumer(
        {
            "bootstrap.servers": stack.bootstrap,
            "group.id": "bench-hops",
            "enable.auto.commit": False,
        }
    )
    try:
        for message in _messages(reader, _from(reader, topic, since)):
            body = message.value()
            number = int.from_bytes(body[1:HEADER], "big")
            if number not in schemas:
                text = str(registry.get_schema(number).schema_str)
                schemas[number] = fastavro.parse_schema(json.loads(text))
            row: Any = fastavro.schemaless_reader(io.BytesIO(body[HEADER:]), schemas[number])
            at = Passed(row["__ts_ms"] / 1000, message.timestamp()[1] / 1000)
            found[row["vecKey"]] = at
    finally:
        reader.close()
        registry.close()
    return found


def _messages(reader: Consumer, ends: dict[int, int]) -> Iterator[Any]:
    """Up to these offsets, by partition."""
    left = dict(ends)
    while left:
        for message in reader.consume(10_000, LOOK_SECONDS):
            yield message
            partition, offset = message.partition(), message.offset()
            assert partition is not None
            assert offset is not None
            if offset + 1 >= left.get(partition, 0):
                left.pop(partition, None)


def _from(reader: Consumer, topic: str, since: float) -> dict[int, int]:
    """Begin at that time; by partition its end."""
    known = reader.list_topics(topic, timeout=30).topics[topic].partitions
    wanted = [TopicPartition(topic, number, int(since * 1000)) for number in known]
    ends: dict[int, int] = {}
    starts = []
    for one in reader.offsets_for_times(wanted, timeout=30):
        _, end = reader.get_watermark_offsets(TopicPartition(topic, one.partition), timeout=30)
        if 0 <= one.offset < end:
            ends[one.partition] = end
            starts.append(one)
    reader.assign(starts)
    return ends


def hop_sums(address: str) -> Sums:
    """By hop: seconds in all, and of how many changes, since the consumer began."""
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(ask(f"{address}/metrics").text):
        if family.name == METRIC:
            for sample in family.samples:
                part = sample.name.removeprefix(f"{METRIC}_")
                if part in {"sum", "count"}:
                    found.setdefault(sample.labels["hop"], {})[part] = sample.value
    return {hop: (parts["sum"], parts["count"]) for hop, parts in found.items()}
