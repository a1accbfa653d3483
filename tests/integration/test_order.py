"""What orders events on real PostgreSQL and Debezium:
the two updates that a careless guard loses for ever (docs/explanation/order.md).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest

from deploy.local.stack import Stack
from deploy.sample import databases
from pipeline.config.load import load
from pipeline.domain.routes import ROUTES
from pipeline.operations.connectors import configuration
from pipeline.wiring.clients import connect_client
from tests.support.live import Live, client, live_firm, wait_until

pytestmark = pytest.mark.stack


@pytest.fixture
def live(stack: Stack) -> Iterator[Live]:
    """A firm of its own for each test: each needs a connector that has seen nothing."""
    with live_firm(stack, f"order-{uuid.uuid4().hex[:6]}") as firm:
        yield firm


def images(live: Live, key: int) -> list[str]:
    """The names that an organization had in PIM, in the order of its writes."""
    shown = [write.now for write in live.writes() if write.now is not None]
    return [now["Name"] for now in shown if now["Organization ID"] == f"cl-{key}"]


def test_an_update_that_commits_during_the_first_snapshot_is_not_lost(
    live: Live,
) -> None:
    """Case (b): the snapshot reads a row, then comes its update at a smaller position; it is newer,
    and must win.

    T0 is open with a change before the connector is created. T2 opens with a change; T0 commits; a
    checkpoint. T3 opens and updates a row; T2 commits; the snapshot is done; T3 commits.
    """
    live.insert("AxVec", client(1, "one"), client(2, "two"), client(3, "three"))
    live.audited()
    with opened(live) as t0, opened(live) as t2, opened(live) as t3:
        t0.execute('UPDATE "AxVec" SET "vecPhone1" = \'t0\' WHERE "vecKey" = 2')
        start_capture(live)
        wait_until(
            lambda: slot_exists(live),
            "the connector asks for its slot, and waits for T0",
        )
        t2.execute('UPDATE "AxVec" SET "vecPhone1" = \'t2\' WHERE "vecKey" = 3')
        t0.commit()
        live.ajera.execute("CHECKPOINT")
        t3.execute('UPDATE "AxVec" SET "vecDescription" = \'newest\' WHERE "vecKey" = 1')
        t2.commit()
        with live.consumers():
            wait_until(
                lambda: live.organization(1) == "one",
                "the snapshot has read the row without T3's change",
            )
            t3.commit()
            wait_until(
                lambda: live.organization(1) == "newest",
                "T3's change is in PIM",
            )
            live.wait_until_right()
    assert images(live, 1) == ["one", "newest"]


def test_an_update_held_open_while_an_incremental_snapshot_reads_is_not_lost(
    live: Live,
) -> None:
    """Case (a): the read is at a greater lsn than the change that commits after it; it is newer,
    and must win.
    """
    live.insert("AxVec", client(1, "one"))
    live.ajera.execute("CREATE TABLE signal (id text PRIMARY KEY, type text, data text)")
    start_capture(
        live,
        **{
            "signal.data.collection": "public.signal",
            "signal.enabled.channels": "source",
        },
    )
    live.audited()
    with live.consumers(), opened(live) as held:
        wait_until(
            lambda: live.organization(1) == "one",
            "the first snapshot is in PIM",
        )
        held.execute('UPDATE "AxVec" SET "vecDescription" = \'newest\' WHERE "vecKey" = 1')
        data = '{"data-collections": ["public.AxVec"], "type": "incremental"}'
        live.edit("INSERT INTO signal VALUES ('1', 'execute-snapshot', %s)", data)
        wait_until(
            lambda: reads(live) >= 2,
            "the row was read by the incremental snapshot",
        )
        held.commit()
        wait_until(
            lambda: live.organization(1) == "newest",
            "the held change is in PIM",
        )
        live.wait_until_right()
    assert images(live, 1) == ["one", "newest"]


def opened(live: Live) -> psycopg.Connection:
    """A connection with a transaction that stays open until it is committed."""
    connection = databases.connect(live.ajera_url)
    connection.autocommit = False
    return connection


def start_capture(live: Live, **others: str) -> None:
    """Create the connector without waiting until it runs:
    it may have to wait for an open transaction.
    """
    from pipeline.kafka.admin import KafkaAdmin
    from pipeline.operations.connectors import topics_of

    settings = load(live.config, {}, ROUTES)
    admin = KafkaAdmin(live.stack.bootstrap, {})
    admin.ensure_topics(topics_of(settings))
    admin.close()
    config = configuration(settings, epoch=1)
    if others:
        config |= others | {"table.include.list": config["table.include.list"] + ",public\\.signal"}
    connect = connect_client(settings)
    connect.apply(live.name, config)
    connect.close()


def slot_exists(live: Live) -> bool:
    query = "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s"
    return (
        live.ajera.execute(query, [live.settings()["sources"]["ajera"]["slot_name"]]).fetchone()
        is not None
    )


def reads(live: Live) -> int:
    """How many messages of the table were handled."""
    return int(
        live.one(
            "SELECT COALESCE(sum(events_read), 0) FROM sync.progress WHERE topic = %s",
            f"{live.name}.AxVec",
        )
    )
