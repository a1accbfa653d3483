"""A consumer's membership in its group, the same for every route."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from pipeline.config.settings import Settings
from pipeline.engine.consumer.ports import OffsetStore
from pipeline.engine.consumer.start import Incarnations, progress_of, stored_starts
from pipeline.errors import PipelineError
from pipeline.kafka.consumer import KafkaMessages, StoredOffsets
from pipeline.model.ledger import Progress
from pipeline.model.position import TopicPartition
from pipeline.telemetry.health import Health
from pipeline.telemetry.prometheus import PrometheusTelemetry
from pipeline.wiring.clients import member_settings


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
    @property
    def member(self) -> int: ...


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

    def assigned(partitions: frozenset[TopicPartition]) -> None:
        held.update(partitions)
        of.health.become_ready()
        of.telemetry.assigned(len(held), of.member)

    def revoked(partitions: frozenset[TopicPartition]) -> None:
        held.difference_update(partitions)
        of.telemetry.assigned(len(held), of.member)

    return KafkaMessages(
        bootstrap=of.settings.kafka.bootstrap_servers,
        group=group,
        topics=topics,
        client_settings=member_settings(of.settings, group, of.member),
        stored_offsets=_stored_offsets(of.incarnations, keeper, on_assigned),
        on_assigned=assigned,
        on_revoked=revoked,
        protocol=of.settings.kafka.group_protocol,
        held=of.telemetry.held,
    )


def _stored_offsets(
    incarnations: Incarnations,
    keeper: OffsetStore,
    on_assigned: Callable[[Mapping[TopicPartition, Progress]], None],
) -> StoredOffsets:
    """Next offsets as `keeper` has them, or why a partition cannot be read."""

    def stored_offsets(
        partitions: Collection[TopicPartition],
    ) -> Mapping[TopicPartition, int | PipelineError]:
        incarnations.forget()
        present, refused = incarnations.of_all({one.topic for one in partitions})
        with keeper.transaction() as transaction:
            stored = transaction.progress(partitions)
        on_assigned(progress_of(partitions, stored))
        known = {one: held for one, held in stored.items() if one.topic in present}
        return {
            **stored_starts(known, present),
            **{one: refused[one.topic] for one in partitions if one.topic in refused},
        }

    return stored_offsets
