"""A consumer's membership in its group, the same for every route."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from pipeline.config.settings import Settings
from pipeline.engine.consumer.ports import OffsetStore
from pipeline.engine.consumer.start import Incarnations, stored_starts
from pipeline.kafka.consumer import KafkaMessages
from pipeline.model.ledger import Progress
from pipeline.model.position import TopicPartition
from pipeline.telemetry.health import Health
from pipeline.telemetry.metrics import PrometheusTelemetry
from pipeline.wiring.clients import kafka_settings
from pipeline.wiring.identity import consumer_id


class Joining(Protocol):
    """What a membership needs of a consumer's parts."""

    @property
    def settings(self) -> Settings: ...
    @property
    def incarnations(self) -> Incarnations: ...
    @property
    def telemetry(self) -> PrometheusTelemetry: ...
    @property
    def health(self) -> Health: ...


def join_group(
    of: Joining,
    group: str,
    topics: Sequence[str],
    keeper: OffsetStore,
    on_assigned: Callable[[Mapping[TopicPartition, Progress]], None],
) -> KafkaMessages:
    """A membership: partitions start where `keeper` or Kafka says, whichever is smaller,
    and are given to `on_assigned`.
    """
    held: set[TopicPartition] = set()

    def stored_offsets(partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        of.incarnations.forget()
        present = {topic: of.incarnations.of(topic) for topic in {one.topic for one in partitions}}
        with keeper.transaction() as transaction:
            stored = transaction.progress(partitions)
        on_assigned(stored)
        return stored_starts(stored, present)

    def assigned(partitions: frozenset[TopicPartition]) -> None:
        held.update(partitions)
        of.health.become_ready()
        of.telemetry.assigned(len(held))

    def revoked(partitions: frozenset[TopicPartition]) -> None:
        held.difference_update(partitions)
        of.telemetry.assigned(len(held))

    return KafkaMessages(
        bootstrap=of.settings.kafka.bootstrap_servers,
        group=group,
        topics=topics,
        client_settings={"client.id": consumer_id(group), **kafka_settings(of.settings)},
        stored_offsets=stored_offsets,
        on_assigned=assigned,
        on_revoked=revoked,
        protocol=of.settings.kafka.group_protocol,
        held=of.telemetry.held,
    )
