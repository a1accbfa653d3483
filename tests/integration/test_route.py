"""The one-way route on the real stack: Debezium, Kafka, registry and PostgreSQL."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import orjson
import pytest

from deploy.demo.consumers import Consumer, ask
from deploy.local.stack import Stack
from pipeline.errors import ExitCode
from pipeline.kafka.admin import KafkaAdmin
from pipeline.model.position import TopicPartition
from tests.support.live import (
    Live,
    client,
    employee,
    live_firm,
    project,
    wait_until,
)

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def live(stack: Stack) -> Iterator[Live]:
    """A firm whose first rows were there before anybody captured."""
    with live_firm(stack, "route") as firm:
        firm.insert(
            "AxVec",
            client(1, "before"),
            client(2, "second"),
            employee(3, "Keeper"),
        )
        firm.insert(
            "AxProject",
            project(10, "Library", prjProjectManager=3),
            project(11, "phase", prjProject=10),
        )
        firm.insert("AxInvoiceGroup", {"igKey": 100, "igProject": 10, "igClient": 1})
        firm.insert(
            "AxContact",
            {"cntKey": 5, "cntLastName": "Contact", "cntClient": 1},
        )
        yield firm


def test_a_snapshot_comes_first_then_the_stream_and_nothing_between_is_missed(
    live: Live,
) -> None:
    """Edits from before, during and after the snapshot are all in PIM."""
    live.edit('UPDATE "AxVec" SET "vecPhone1" = %s WHERE "vecKey" = 2', "1")
    applied = live.command("connectors", "apply")["data"]
    assert applied["is_resnapshot"]
    live.edit('UPDATE "AxVec" SET "vecPhone1" = %s WHERE "vecKey" = 1', "2")
    with live.consumers(2):
        wait_until(
            lambda: live.project(10, "Client") == "before",
            "the snapshot is in PIM",
        )
        live.edit(
            'UPDATE "AxVec" SET "vecDescription" = %s WHERE "vecKey" = 1',
            "after",
        )
        wait_until(
            lambda: live.project(10, "Client") == "after",
            "the change is in PIM",
        )
        live.wait_until_right()


def test_a_replay_from_the_beginning_writes_nothing(live: Live) -> None:
    """The whole topic once more: every event is stale, and PIM's own log shows no write at all."""
    live.audited()
    before = live.one("SELECT sum(events_read) FROM sync.progress")
    planned = live.command("replay", "--topic", "route.AxVec", "--to-beginning", "--yes")["data"]
    assert planned["done"]
    assert planned["again"] > 0
    with live.consumers():
        wait_until(
            lambda: (
                live.one("SELECT sum(events_read) FROM sync.progress") >= before + planned["again"]
            ),
            "everything was read again",
        )
    assert live.writes() == []


def test_sigterm_drains_and_kafka_knows_what_was_applied(
    live: Live,
) -> None:
    """A stop ends with exit code 0, and the offsets in Kafka are those in sync."""
    with live.consumers() as (member,):
        for number in range(200):
            live.edit(
                'UPDATE "AxVec" SET "vecDescription" = %s WHERE "vecKey" = 2',
                f"n{number}",
            )
        wait_until(
            lambda: str(live.organization(2)).startswith("n"),
            "some of it is applied",
        )
        member.process.send_signal(signal.SIGTERM)
        assert member.process.wait(15) == 0
    admin = KafkaAdmin(live.stack.bootstrap, {})
    topics = ["route.AxVec", "route.AxProject"]
    stored = live.pim.execute(
        "SELECT topic, partition, next_offset FROM sync.progress WHERE topic = ANY(%s)",
        [topics],
    )
    committed = admin.committed("route-group", topics)
    assert committed == {
        TopicPartition(topic, at): offset for topic, at, offset in stored if offset
    }
    admin.close()


def test_the_commands_tell_how_the_route_stands(live: Live) -> None:
    """Check, lag and status agree with what is there; a stopped group that is behind says so."""
    with live.consumers():
        wait_until(lambda: live.organization(2) == "n199", "caught up")
    live.edit(
        'UPDATE "AxVec" SET "vecDescription" = %s WHERE "vecKey" = 2',
        "waiting",
    )
    wait_until(
        lambda: live.command("lag")["data"]["routes"][0]["lag"] == 1,
        "Debezium has delivered the change",
    )
    (lag,) = live.command("lag")["data"]["routes"]
    assert (lag["state"], lag["members"]) == ("stopped", 0)
    assert 0 < lag["delay_seconds"] < 60
    found = live.command("status", expect=ExitCode.HALTED)["data"]
    assert found["problems"][0]["command"] == "ajera-cdc run --route pim"
    status = found["routes"][0]["state"]
    assert {table["name"]: table["state"] for table in status["tables"]}["AxVec"] == "loaded"
    counted = [
        one["events_read"] - one["written"] - one["skipped"] - one["parked"] - one["dead_lettered"]
        for one in status["partitions"]
    ]
    assert set(counted) == {0}
    check = live.command("check")["data"]
    assert [line for line in check["lines"] if not line["is_ok"]] == []
    assert live.command("config", "show")["data"]["routes"]["pim"]["database"].count("***") == 1


def test_a_deleted_row_stays_and_comes_back_when_it_is_inserted_again(
    live: Live,
) -> None:
    """PIM keeps what Ajera deletes; the tombstone does nothing."""
    with live.consumers():
        live.edit('DELETE FROM "AxVec" WHERE "vecKey" = 2')
        live.insert("AxVec", client(2, "back again"))
        wait_until(
            lambda: live.organization(2) == "back again",
            "the new row is applied",
        )
        live.edit('DELETE FROM "AxContact" WHERE "cntKey" = 5')
        live.wait_until_right()
    assert (
        live.one(
            'SELECT "Surname" FROM "Contact" WHERE "Contact ID" = %s',
            "co-5",
        )
        == "Contact"
    )


def test_a_changed_key_is_a_delete_and_a_create(live: Live) -> None:
    """The old row stays in PIM, the new one appears."""
    with live.consumers():
        live.edit(
            'UPDATE "AxVec" SET "vecKey" = 22, "vecDescription" = \'moved\' WHERE "vecKey" = 2'
        )
        wait_until(
            lambda: live.organization(22) == "moved",
            "the new key is in PIM",
        )
        live.wait_until_right()
    assert live.organization(2) == "back again"


def test_a_long_text_that_an_update_did_not_touch_is_never_written_as_a_placeholder(
    live: Live,
) -> None:
    """Debezium sends a marker for it; PIM keeps the text."""
    note = "Minutes. " * 2_000
    with live.consumers():
        live.insert("AxProject", project(12, "Bridge", prjNotes=note))
        wait_until(
            lambda: live.project(12, "Description") == note.strip(),
            "the long note is in PIM",
        )
        live.audited()
        live.edit('UPDATE "AxProject" SET "prjDescription" = \'Viaduct\' WHERE "prjKey" = 12')
        wait_until(
            lambda: live.project(12, "Name") == "Viaduct",
            "the other column is in PIM",
        )
    assert live.project(12, "Description") == note.strip()
    assert {write.now["Description"] for write in live.writes() if write.now} == {note.strip()}


def test_a_pim_restored_from_a_backup_gets_its_lost_part_again(
    live: Live,
) -> None:
    """The offsets stored in PIM's own database go back with it, and the consumer starts there."""
    live.pim.execute('CREATE TABLE backup_organization AS TABLE "Organization"')
    kept = {
        table: live.pim.execute(f"SELECT * FROM sync.{table}").fetchall()
        for table in ("progress", "mirror_AxVec".join('""'))
    }
    with live.consumers():
        live.edit('UPDATE "AxVec" SET "vecDescription" = \'after the backup\' WHERE "vecKey" = 22')
        wait_until(
            lambda: live.organization(22) == "after the backup",
            "it is applied",
        )
    with live.pim.transaction(), live.pim.cursor() as cursor:
        cursor.execute(
            'UPDATE "Organization" AS o SET "Name" = b."Name" FROM backup_organization AS b'
            ' WHERE o."Organization ID" = b."Organization ID"'
        )
        for table, rows in kept.items():
            cursor.execute(f"DELETE FROM sync.{table}")
            places = ", ".join(["%s"] * len(rows[0]))
            cursor.executemany(f"INSERT INTO sync.{table} VALUES ({places})", rows)
    assert live.organization(22) == "moved"
    with live.consumers():
        wait_until(
            lambda: live.organization(22) == "after the backup",
            "the lost part is applied again",
        )


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_both_group_protocols_share_the_partitions_and_hand_them_over(
    live: Live, protocol: str
) -> None:
    """One of two processes of two members each leaves under edits; nothing is missing after."""
    live.configure(
        kafka={"group_protocol": protocol},
        routes={"pim": {"group": f"route-{protocol}"}},
        run={"members": 2},
    )
    with live.consumers(2) as members:
        for number in range(60):
            live.edit(
                'UPDATE "AxVec" SET "vecDescription" = %s WHERE "vecKey" = 1',
                f"{protocol} {number}",
            )
            if number == 30:
                members[0].stop()
        wait_until(
            lambda: live.organization(1) == f"{protocol} 59",
            "the last edit is in PIM",
        )
        live.wait_until_right()
        wait_until(
            lambda: all(assigned(members[1]).get(number) for number in (1, 2)),
            "both members of the process that is left have partitions",
        )
        last = assigned(members[1])
        metric = f"pipeline_assigned_partitions {float(sum(last.values()))}\n"
        assert metric in ask(f"{members[1].address}/metrics").text


def assigned(process: Consumer) -> dict[int, int]:
    """How many partitions each member of the process was given last."""
    told = [orjson.loads(line) for line in process.log_lines() if "partitions assigned" in line]
    return {one["member"]: one["partitions"] for one in told}
