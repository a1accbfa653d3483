"""Replay and lag on a real Kafka: messages of a topic that nobody reads,
a group that stands somewhere in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import tomli_w
from click.testing import CliRunner
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient

from deploy.local.stack import Stack
from deploy.sample import databases
from pipeline.cli.main import main
from pipeline.errors import ExitCode
from pipeline.kafka.admin import KafkaAdmin
from pipeline.kafka.topics import TopicSettings
from pipeline.model.position import TopicPartition
from tests.support.live import wait_until

pytestmark = pytest.mark.stack
NAMES = iter(range(1_000))
FIRST = datetime.now(UTC).replace(microsecond=0) - timedelta(
    days=1
)  # of the first message; one a minute
MESSAGES = 20


@dataclass
class Topic:
    """A topic with MESSAGES messages in its one partition, one a minute,
    and the settings of a group that reads it.
    """

    stack: Stack
    config: Path
    name: str
    group: str
    admin: KafkaAdmin
    pim: psycopg.Connection

    @property
    def place(self) -> TopicPartition:
        return TopicPartition(self.name, 0)

    def command(self, *words: str, expect: int = ExitCode.OK) -> dict[str, Any]:
        """The answer, or the error."""
        result = CliRunner().invoke(main, ["--config", str(self.config), *words, "--json"])
        assert result.exit_code == expect, result.output
        answer: dict[str, Any] = json.loads(result.stdout)
        said: dict[str, Any] = answer["data"] if "data" in answer else answer["error"]
        return said

    def replay(self, *words: str, expect: int = ExitCode.OK) -> dict[str, Any]:
        return self.command("replay", "--topic", self.name, *words, expect=expect)

    def commit(self, offset: int) -> None:
        self.admin.set_committed(self.group, {self.place: offset})

    def committed(self) -> int | None:
        return self.admin.committed(self.group, [self.name]).get(self.place)

    def store(self, offset: int) -> None:
        """The next offset in `sync`, as a consumer leaves it."""
        found = self.admin.topic_description(self.name)
        assert found is not None
        self.pim.execute(
            (
                "INSERT INTO sync.incarnation (number, topic, topic_id, partitions, first_seen)"
                " VALUES (1, %s, %s, 1, now())"
            ),
            [self.name, found.topic_id],
        )
        self.pim.execute(
            (
                "INSERT INTO sync.progress (topic, partition, incarnation, next_offset,"
                " events_read, written, skipped,"
                " parked, dead_lettered, dead_in_a_row, updated_at)"
                " VALUES (%s, 0, 1, %s, 0, 0, 0, 0, 0, 0, now())"
            ),
            [self.name, offset],
        )

    def delete_before(self, offset: int) -> None:
        """As retention does."""
        client = AdminClient({"bootstrap.servers": self.stack.bootstrap})
        for done in client.delete_records([KafkaPartition(self.name, 0, offset)]).values():
            done.result(10)


@pytest.fixture
def topic(stack: Stack, tmp_path: Path) -> Iterator[Topic]:
    prefix = f"cli-replay-{next(NAMES)}"
    name, group, config = (
        f"{prefix}.AxVec",
        f"{prefix}-group",
        tmp_path / "ajera-cdc.toml",
    )
    pim_url = stack.create_database(prefix)
    raw = {
        "sources": {
            "ajera": {
                "database": pim_url,
                "topic_prefix": prefix,
                "connector_name": prefix,
            }
        },
        "routes": {"pim": {"database": pim_url, "group": group}},
        "kafka": {"bootstrap_servers": stack.bootstrap, "partitions": 1},
        "registry": {
            "url": stack.registry,
            "converter_url": stack.registry_native,
        },
        "connect": {"url": stack.connect},
    }
    config.write_text(tomli_w.dumps(raw))
    admin = KafkaAdmin(stack.bootstrap, {})
    admin.ensure_topics([TopicSettings(name, 1, 1, -1)])
    producer = Producer({"bootstrap.servers": stack.bootstrap})
    for number in range(MESSAGES):
        at = FIRST + timedelta(minutes=number)
        producer.produce(name, key=b"1", value=b"x", timestamp=int(at.timestamp() * 1000))
    assert producer.flush(10) == 0
    with databases.connect(pim_url) as pim:
        made = Topic(stack, config, name, group, admin, pim)
        made.command("schema", "upgrade")
        yield made
    admin.close()


def test_a_group_is_set_back_to_an_offset_and_a_rehearsal_changes_nothing(
    topic: Topic,
) -> None:
    """From, to, and how many are read again; then Kafka knows it."""
    topic.commit(15)
    rehearsed = topic.replay("--to-offset", "4", "--dry-run")
    (step,) = rehearsed["steps"]
    assert (
        step["from_offset"],
        step["to_offset"],
        rehearsed["again"],
        rehearsed["done"],
    ) == (15, 4, 11, False)
    assert topic.committed() == 15
    assert topic.replay("--to-offset", "4", "--yes")["done"]
    assert topic.committed() == 4


def test_a_time_is_the_first_message_not_older(topic: Topic) -> None:
    """Half a minute after the fourth message is the fifth."""
    topic.commit(15)
    time = FIRST + timedelta(minutes=3, seconds=30)
    answer = topic.replay("--to-time", time.isoformat(), "--yes")
    assert (topic.committed(), answer["lost"], answer["lost_is_exact"]) == (
        4,
        0,
        True,
    )


def test_a_replay_never_goes_forward(topic: Topic) -> None:
    """What was not applied yet is not skipped."""
    topic.commit(5)
    answer = topic.replay("--to-offset", "12", "--yes")
    assert (answer["again"], answer["done"], topic.committed()) == (
        0,
        False,
        5,
    )


def test_a_group_whose_offsets_kafka_has_forgotten_is_set_back_from_those_in_sync(
    topic: Topic,
) -> None:
    """Kafka forgets them when a group rests for a week;
    the consumer would start at the ones in sync.
    """
    topic.store(15)
    answer = topic.replay("--to-offset", "4", "--yes")
    assert (
        answer["steps"][0]["from_offset"],
        answer["again"],
        topic.committed(),
    ) == (15, 11, 4)


def test_a_group_that_sync_puts_further_back_needs_no_replay(
    topic: Topic,
) -> None:
    """PIM was restored from a backup: its offsets are smaller than Kafka's, and count."""
    topic.commit(15)
    topic.store(6)
    answer = topic.replay("--to-offset", "10", "--yes")
    assert (
        answer["steps"][0]["from_offset"],
        answer["again"],
        topic.committed(),
    ) == (6, 0, 15)


def test_a_replay_says_which_offsets_retention_has_deleted(
    topic: Topic,
) -> None:
    """Exactly for an offset and the beginning, at most for a time,
    none for a time after the oldest message.
    """
    topic.commit(15)
    topic.delete_before(8)
    asked = topic.replay("--to-offset", "3", "--dry-run")
    assert (
        asked["lost"],
        asked["steps"][0]["lost_from"],
        asked["lost_is_exact"],
        asked["again"],
    ) == (5, 3, True, 7)
    assert topic.replay("--to-beginning", "--dry-run")["lost"] == 8
    older = topic.replay("--to-time", FIRST.isoformat(), "--dry-run")
    assert (older["lost"], older["lost_is_exact"], older["again"]) == (
        8,
        False,
        7,
    )
    oldest = FIRST + timedelta(minutes=8)
    assert datetime.fromisoformat(older["steps"][0]["oldest"]) == oldest
    assert topic.replay("--to-time", oldest.isoformat(), "--dry-run")["lost"] == 0


def test_a_group_with_members_is_not_touched(topic: Topic) -> None:
    """Wherever it is asked to go; `lag` says who reads."""
    topic.commit(15)
    names = {
        "group.id": topic.group,
        "client.id": "somebody",
        "enable.auto.commit": False,
    }
    member = Consumer({"bootstrap.servers": topic.stack.bootstrap, **names})
    member.subscribe([topic.name])
    try:
        wait_until(
            lambda: member.poll(0.1) is not None or member.assignment(),
            "the member has joined",
        )
        error = topic.replay("--to-beginning", "--yes", expect=ExitCode.USAGE)
        assert error["code"] == "replay.refused"
        (partition,) = topic.command("lag")["routes"][0]["partitions"]
        assert partition["member"].startswith("somebody-"), (
            "client ids may be the same, member ids are not"
        )
    finally:
        member.close()
    assert topic.committed() == 15


def test_lag_counts_messages_and_seconds_and_says_that_a_group_is_stopped(
    topic: Topic,
) -> None:
    """Nothing at all when it is caught up; and with topics that are not there, all in all unknown:
    that is not zero.
    """
    topic.commit(15)
    (behind,) = topic.command("lag")["routes"]
    age = datetime.now(UTC) - (FIRST + timedelta(minutes=15))
    (partition,) = behind["partitions"]
    assert (behind["state"], partition["lag"]) == ("stopped", 5)
    assert abs(partition["delay_seconds"] - age.total_seconds()) < 60
    topic.commit(MESSAGES)
    (caught_up,) = topic.command("lag", "--max-seconds", "5", expect=ExitCode.ENVIRONMENT)["routes"]
    (partition,) = caught_up["partitions"]
    assert (partition["lag"], partition["delay_seconds"]) == (0, 0.0)
    assert len(caught_up["missing"]) > 2
    assert (caught_up["lag"], caught_up["delay_seconds"], caught_up["applied_until"]) == (
        None,
        None,
        None,
    )
    assert caught_up["sources"][0]["is_silent"]


def test_check_reaches_kafka_registry_and_connect(topic: Topic) -> None:
    """The topic's own difference is named, missing topics say what creates them,
    the connector is not there yet.
    """
    found = topic.command(
        "check",
        "--only",
        "kafka",
        "--only",
        "registry",
        "--only",
        "Connect",
        expect=ExitCode.ENVIRONMENT,
    )
    lines = {(line["area"], line["name"]): line for line in found["lines"]}
    assert "retention.ms -1" in lines["Kafka", topic.name]["found"]
    assert "connectors apply" in lines["Kafka", topic.name.replace("AxVec", "AxProject")]["action"]
    assert lines["registry", "reachable"]["is_ok"]
    assert lines["Connect", "Debezium"]["is_ok"]
    assert not lines["Connect", "connector"]["is_ok"]
