"""Topics: what one should be, what it is, and how the two differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka.admin import (  # type: ignore[attr-defined] # it imports them without `as`
    NewTopic,
)


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """What a topic should be. `retention_ms` is milliseconds; -1 keeps everything."""

    name: str
    partitions: int
    replicas: int
    retention_ms: int
    cleanup_policy: str = "delete"


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """What a topic is. `topic_id` changes when a topic is deleted and re-created under its name.
    `rights`: what our user may do with it, as Kafka names that (READ, WRITE); None if untold.
    """

    name: str
    topic_id: str
    partitions: int
    replicas: int
    retention_ms: int
    cleanup_policy: str
    rights: frozenset[str] | None = None


def differences_between(wanted: TopicSettings, found: TopicDescription) -> list[str]:
    """A sentence for each setting in which a topic is not what it should be."""
    pairs: tuple[tuple[str, int | str, int | str], ...] = (
        ("partitions", wanted.partitions, found.partitions),
        ("replicas", wanted.replicas, found.replicas),
        ("retention.ms", wanted.retention_ms, found.retention_ms),
        ("cleanup.policy", wanted.cleanup_policy, found.cleanup_policy),
    )
    return [
        f"{wanted.name} has {name} {is_}, not {should}."
        for name, should, is_ in pairs
        if should != is_
    ]


def new_topic(topic: TopicSettings) -> NewTopic:
    """The order for one that is missing."""
    settings = {
        "cleanup.policy": topic.cleanup_policy,
        "retention.ms": str(topic.retention_ms),
    }
    return NewTopic(topic.name, topic.partitions, topic.replicas, config=settings)


def described(topic: str, found: Any, settings: Mapping[str, Any]) -> TopicDescription:
    """From the client's answers, which have no types."""
    allowed = found.authorized_operations
    return TopicDescription(
        name=topic,
        topic_id=str(found.topic_id),
        partitions=len(found.partitions),
        replicas=min((len(partition.replicas) for partition in found.partitions), default=0),
        retention_ms=int(settings["retention.ms"].value),
        cleanup_policy=str(settings["cleanup.policy"].value),
        rights=None if allowed is None else frozenset(one.name for one in allowed),
    )
