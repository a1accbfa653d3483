"""A backfill of one table on the real stack, while the pipeline runs and its source is edited."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient

from deploy.local.stack import Stack
from pipeline.kafka.admin import KafkaAdmin
from pipeline.model.position import TopicPartition
from tests.support.live import Live, client, live_firm, wait_until

pytestmark = pytest.mark.stack

ROWS = 8000  # eight chunks


@pytest.fixture
def live(stack: Stack) -> Iterator[Live]:
    """A firm of its own for each test, captured; its first snapshot is over."""
    with live_firm(stack, f"backfill-{uuid.uuid4().hex[:6]}", partitions=2) as firm:
        firm.insert("AxVec", *(client(key, f"client {key}") for key in range(1, ROWS + 1)))
        firm.command("connectors", "apply")
        wait_until(lambda: offsets_are_stored(firm), "the first snapshot is over")
        yield firm


def offsets_are_stored(live: Live) -> bool:
    """A rehearsal is refused before."""
    from pipeline.connect.client import ConnectClient

    connect = ConnectClient(live.stack.connect)
    try:
        return not connect.is_in_snapshot(live.name)
    finally:
        connect.close()


def lose(live: Live) -> None:
    """What was changed while no consumer ran is deleted in Kafka, and skipped."""
    topic = f"{live.name}.AxVec"
    admin = KafkaAdmin(live.stack.bootstrap, {})
    try:
        ends = {tp: high for tp, (_, high) in admin.watermarks([topic]).items()}
        kafka = AdminClient({"bootstrap.servers": live.stack.bootstrap})
        asked = kafka.delete_records(
            [KafkaPartition(tp.topic, tp.partition, end) for tp, end in ends.items()]
        )
        for future in asked.values():
            future.result(10)
        for tp, end in ends.items():
            live.pim.execute(
                "UPDATE sync.progress SET next_offset = %s WHERE topic = %s AND partition = %s",
                [end, tp.topic, tp.partition],
            )
        group = live.settings()["routes"]["pim"]["group"]
        admin.set_committed(
            group, {TopicPartition(tp.topic, tp.partition): ends[tp] for tp in ends}
        )
    finally:
        admin.close()


def names(live: Live, prefix: str) -> int:
    found: int = live.one('SELECT count(*) FROM "Organization" WHERE "Name" LIKE %s', f"{prefix}%")
    return found


def lost_edits(live: Live) -> None:
    """Every client is renamed, but for each tenth, and no event of it is left."""
    with live.consumers():
        wait_until(lambda: names(live, "client") == ROWS, "captured", 120.0)
    before = end_of(live)
    live.edit('UPDATE "AxVec" SET "vecDescription" = \'lost\' WHERE mod("vecKey", 10) <> 0')
    wait_until(lambda: end_of(live) >= before + ROWS * 9 // 10, "they are in Kafka", 120.0)
    lose(live)


def end_of(live: Live) -> int:
    admin = KafkaAdmin(live.stack.bootstrap, {})
    try:
        return sum(high for _, high in admin.watermarks([f"{live.name}.AxVec"]).values())
    finally:
        admin.close()


def waiting(live: Live) -> int | None:
    """How many messages of clients were not applied."""
    partitions = live.command("lag")["data"]["routes"][0]["partitions"]
    found = [one["lag"] for one in partitions if one["topic"] == f"{live.name}.AxVec"]
    return None if None in found else sum(found)


def newest(live: Live) -> dict[str, Any]:
    found: dict[str, Any] = live.command("backfill", "status", "ajera")["data"]["backfills"][-1]
    return found


def is_over(live: Live) -> bool:
    return newest(live)["state"] not in ("waiting", "reading")


def caught_up(live: Live) -> None:
    """Nothing is left to read, and PIM is what plain SQL says."""
    last = "the last edit"
    live.insert("AxVec", client(10**9, last))
    wait_until(lambda: names(live, last) == 1, "the consumer has caught up", 120.0)
    wait_until(lambda: live.one("SELECT count(*) FROM sync.due") == 0, "nothing is due", 60.0)
    live.wait_until_right(120.0)  # the other partition may be behind: Connect tries again


def edit_at_random(live: Live, chance: random.Random) -> None:
    """A rename, a new client, or one that goes: of those whose last name was not lost, since what
    a row was before its delete cannot be read again.
    """
    key = chance.randrange(1, ROWS + 1)
    match chance.randrange(3):
        case 0:
            live.edit('DELETE FROM "AxVec" WHERE "vecKey" = %s', key // 10 * 10)
        case 1:
            live.insert("AxVec", client(ROWS + chance.randrange(1, 10**8), "came meanwhile"))
        case _:
            live.edit(
                'UPDATE "AxVec" SET "vecDescription" = %s WHERE "vecKey" = %s',
                f"edited {chance.random()}",
                key,
            )


@pytest.mark.timeout(600)
def test_rows_whose_events_are_lost_come_by_a_backfill_under_edits_and_a_kill_of_connect(
    live: Live,
) -> None:
    """Connect is killed in the middle and resumes; at the end PIM is what plain SQL says. What was
    deleted meanwhile stays deleted, and no newer name is overwritten.
    """
    lost_edits(live)
    chance = random.Random(seed := 14)
    print("seed", seed)
    with live.consumers():
        asked = live.command("backfill", "ajera", "AxVec", "--no-wait")["data"]["backfill"]
        assert asked["rows"] == ROWS
        wait_until(lambda: (newest(live)["rows_read"] or 0) > 0, "it has begun", 60.0)
        live.stack.kill_part("connect")
        for _ in range(20):
            edit_at_random(live, chance)
        live.stack.start_part("connect")
        while not is_over(live):
            edit_at_random(live, chance)
        assert newest(live)["state"] == "read"
        caught_up(live)
    assert live.one("SELECT count(*) FROM sync.due") == 0


@pytest.mark.timeout(600)
def test_a_consumer_that_was_behind_when_the_backfill_was_read_does_not_move_backwards(
    live: Live,
) -> None:
    """It reads older events, the backfill, and newer events in their order; the same once more
    after a replay of everything.
    """
    with live.consumers():
        wait_until(lambda: names(live, "client") == ROWS, "captured", 120.0)
    live.edit('UPDATE "AxVec" SET "vecDescription" = \'before it\' WHERE "vecKey" <= 100')
    done = live.command("backfill", "ajera", "AxVec")["data"]["backfill"]
    assert (done["state"], done["rows_read"]) == ("read", ROWS)
    live.edit('UPDATE "AxVec" SET "vecDescription" = \'after it\' WHERE "vecKey" <= 50')
    with live.consumers():
        wait_until(lambda: names(live, "after it") == 50, "up to date", 120.0)
        caught_up(live)
    live.audited()
    live.command("replay", "--topic", f"{live.name}.AxVec", "--to-beginning", "--yes")
    with live.consumers():
        wait_until(lambda: waiting(live) == 0, "replayed", 120.0)
    assert live.differences() == []
    assert live.writes() == []


def test_some_rows_are_read_again_by_key_or_condition_and_a_rehearsal_changes_nothing(
    live: Live,
) -> None:
    """Of the others, nothing is written."""
    lost_edits(live)
    rehearsed = live.command("backfill", "ajera", "AxVec", "--key", "3", "--dry-run")["data"]
    assert (rehearsed["rows"], rehearsed["what"]) == (1, "1 key")
    gone = live.command("backfill", "ajera", "AxVec", "--key", "999999", "--dry-run")["data"]
    assert (gone["rows"], gone["what"]) == (0, "1 key, 1 of them not in the source")
    assert live.command("backfill", "status", "ajera")["data"]["backfills"] == []
    with live.consumers():
        done = live.command("backfill", "ajera", "AxVec", "--key", "3", "--key", "5")
        assert done["data"]["backfill"]["state"] == "read"
        wait_until(lambda: names(live, "lost") == 2, "two rows")
        live.command("backfill", "ajera", "AxVec", "--where", '"vecKey" > 7990')
        wait_until(lambda: names(live, "lost") == 11, "nine more")
    lines = live.command("audit")["data"]["lines"]
    assert all("7990" not in str(line) for line in lines)


def test_a_backfill_is_stopped_and_another_is_refused_while_it_runs(live: Live) -> None:
    """What cannot be asked for is refused with what to do."""
    live.command("backfill", "ajera", "AxVec", "--no-wait")
    signal = ("hold-it", "pause-snapshot", '{"type": "incremental"}')  # so that it still runs
    live.edit("INSERT INTO ajera_cdc.signal VALUES (%s, %s, %s)", *signal)
    wait_until(lambda: newest(live)["state"] == "paused", "it is held", 60.0)
    refused = live.command("backfill", "ajera", "AxVec", expect=3)["error"]
    assert refused["code"] == "connect.backfill"
    (stopped,) = live.command("backfill", "stop", "ajera")["data"]["backfills"]
    assert stopped["state"] == "stopped"
    assert live.command("backfill", "stop", "ajera", expect=3)["error"]["code"] == refused["code"]
    assert live.command("backfill", "ajera", "Nothing", expect=2)["error"]["code"] == "cli.usage"
    assert live.command("backfill", "ajera", "AxVec", "--key", "x", expect=2)
    assert live.command("backfill", "ajera", "AxVec", "--where", "nothing = 1", expect=3)
    live.command("connectors", "pause")
    refused = live.command("backfill", "ajera", "AxVec", expect=3)["error"]
    assert "PAUSED" in refused["message"]
    live.command("connectors", "resume")


@pytest.mark.timeout(600)
def test_a_topic_that_was_deleted_is_created_again_by_apply_and_its_rows_come_by_a_backfill(
    live: Live,
) -> None:
    """Debezium does not create it again while its task runs, and captures nothing meanwhile: of no
    table. `connectors apply` creates it with its partitions, and the task resumes by itself. A
    consumer that is started again reads the new topic from its beginning.
    """
    topic = f"{live.name}.AxVec"
    with live.consumers():
        wait_until(lambda: names(live, "client") == ROWS, "captured", 120.0)
        live.edit('UPDATE "AxVec" SET "vecDescription" = \'lost\' WHERE "vecKey" <= 20')
        kafka = AdminClient({"bootstrap.servers": live.stack.bootstrap})
        kafka.delete_topics([topic])[topic].result(10)
        live.edit('UPDATE "AxVec" SET "vecDescription" = \'later\' WHERE "vecKey" = 1')
        found = live.command("status", expect=5)
        assert topic in str(found)
        live.command("connectors", "apply")
        admin = KafkaAdmin(live.stack.bootstrap, {})
        try:
            assert len(admin.watermarks([topic])) == 2
        finally:
            admin.close()
        done = live.command("backfill", "ajera", "AxVec")["data"]["backfill"]
        assert done["state"] == "read"
    with live.consumers():
        caught_up(live)
