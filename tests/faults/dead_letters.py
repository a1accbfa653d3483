"""Dead letters: what must be in them, and what happens when they cannot be written."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from deploy.local.stack import Stack
from pipeline.config.load import load
from pipeline.domain.routes import ROUTES
from pipeline.kafka.admin import KafkaAdmin
from pipeline.kafka.dead_letters import HEADER_PREFIX
from pipeline.operations.connectors import topics_of
from tests.faults.firm import Firm
from tests.faults.verdict import (
    Verdict,
    consumers,
    firm_of,
    health,
    judge,
    settle,
    wait,
    wait_quiet,
)

READ_SECONDS = 0.5
TopicOffset = tuple[str, int, int]
Bytes = tuple[bytes | None, bytes | None]


def unwritable(stack: Stack, seed: int) -> Iterator[Verdict]:
    """There is no dead-letter topic: the partition halts before the message,
    and nothing is lost once there is one.
    """
    verdict, rng = (
        Verdict("dead-letter topic cannot be written"),
        random.Random(seed),
    )
    for firm in firm_of(
        stack,
        "unwritable",
        seed,
        kafka={"client": {"delivery.timeout.ms": "2000"}},
    ):
        settle(firm)
        _delete(firm, f"{firm.name}.dead")
        for key in range(1, 11):
            firm.topics["AxVec"].send_raw(b'{"vecKey":%d}' % key, b"\1" + rng.randbytes(20))
        firm.sent += 10
        firm.edit(50)
        firm.flush()
        with consumers(firm) as members:
            wait(
                lambda: "kafka.dead_letter" in health(members[0]),
                "the partition halts",
            )
        if firm.is_quiet():
            verdict.fail("offsets went past a message that is nowhere")
        settings = load(firm.config, {}, ROUTES)
        admin = KafkaAdmin(stack.bootstrap, {})
        admin.ensure_topics(topics_of(settings))
        admin.close()
        settle(firm)
        verdict.tried += 10
        judge(firm, verdict, dead=10)
        verdict.dead += untrue(firm, "AxVec")
    yield verdict


def _delete(firm: Firm, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": firm.stack.bootstrap})
    admin.delete_topics([topic])[topic].result(10)
    ours = KafkaAdmin(firm.stack.bootstrap, {})
    wait(lambda: ours.topic_description(topic) is None, "the topic is gone")
    ours.close()


def dead_over_restarts(stack: Stack, seed: int) -> Iterator[Verdict]:
    """Spoiled messages with the process stopped between: each is set aside once,
    since its offset went with it.
    """
    verdict, rng = (
        Verdict("dead letters over restarts"),
        random.Random(seed),
    )
    for firm in firm_of(stack, "restarts", seed):
        for _ in range(3):
            firm.topics["AxVec"].send_raw(b'{"vecKey":1}', b"\1" + rng.randbytes(20))
            firm.sent += 1
            settle(firm)
            verdict.tried += 1
        with consumers(firm) as members:
            wait_quiet(firm, members)
        judge(firm, verdict, dead=3)
        verdict.dead += untrue(firm, "AxVec")
    yield verdict


def untrue(firm: Firm, table: str) -> int:
    """Letters that do not hold the untouched bytes of the message that they name,
    and letters of one message beyond the first.
    """
    source = {_place(message): _bytes(message) for message in read(firm, f"{firm.name}.{table}")}
    seen: Counter[TopicOffset] = Counter()
    wrong = 0
    for letter in read(firm, f"{firm.name}.dead"):
        place = _named(letter)
        seen[place] += 1
        wrong += source.get(place) != _bytes(letter)
    return wrong + sum(count - 1 for count in seen.values())


def read(firm: Firm, topic: str) -> list[Message]:
    """Everything that a topic holds now."""
    admin = KafkaAdmin(firm.stack.bootstrap, {})
    marks = admin.watermarks([topic])
    admin.close()
    reader = Consumer(
        {
            "bootstrap.servers": firm.stack.bootstrap,
            "group.id": "reader",
            "auto.offset.reset": "error",
        },
    )
    reader.assign(
        [TopicPartition(one.topic, one.partition, low) for one, (low, _) in marks.items()]
    )
    wanted = sum(high - low for low, high in marks.values())
    found: list[Message] = []

    def is_read() -> bool:
        found.extend(
            reader.consume(wanted - len(found), READ_SECONDS) if wanted > len(found) else ()
        )
        return len(found) == wanted

    wait(is_read, f"{topic} is read")
    reader.close()
    return found


def _named(letter: Message) -> TopicOffset:
    """The coordinates in its headers."""
    headers = {str(name): value for name, value in list(letter.headers() or [])}
    topic, partition, offset = (
        _text(headers[f"{HEADER_PREFIX}{name}"]) for name in ("topic", "partition", "offset")
    )
    return topic, int(partition), int(offset)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _place(message: Message) -> TopicOffset:
    return (
        str(message.topic()),
        int(message.partition() or 0),
        int(message.offset() or 0),
    )


def _bytes(message: Message) -> Bytes:
    return message.key(), message.value()
