"""When capture itself changes: taken up anew, tables changed or truncated,
a source that cannot be captured.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import partial

import httpx
import psycopg
import pytest

from deploy.demo.consumers import Consumer
from deploy.local.stack import Stack
from tests.support.live import Live, client, live_firm, project, wait_until

pytestmark = pytest.mark.stack


@pytest.fixture
def live(stack: Stack) -> Iterator[Live]:
    """A firm of its own for each test, captured."""
    with live_firm(stack, f"capture-{uuid.uuid4().hex[:6]}", partitions=1) as firm:
        firm.insert("AxVec", client(1, "first client"), client(2, "second client"))
        firm.insert("AxProject", project(10, "Library"))
        firm.insert(
            "AxInvoiceGroup",
            {"igKey": 1, "igProject": 10, "igClient": 1},
            {"igKey": 2, "igProject": 10, "igClient": 2},
        )
        for table in ("AxVec", "AxProject"):
            firm.edit(
                f'ALTER TABLE "{table}" DISABLE TRIGGER remember'
            )  # the judge knows no other columns
        firm.command("connectors", "apply")
        yield firm


def halted(member: Consumer) -> str:
    """Why the consumer has halted, "" if it has not."""
    try:
        answer = httpx.get(f"{member.address}/health", timeout=5).json()
    except httpx.HTTPError:
        return ""
    return " ".join(answer["reasons"].values()) if answer["state"] == "halted" else ""


def test_rows_deleted_while_nobody_captured_are_swept_by_the_next_snapshot(
    live: Live,
) -> None:
    """The first invoice group is gone: the project shows the second one's client,
    though no delete was ever sent.
    """
    with live.consumers():
        wait_until(lambda: live.project(10, "Client") == "first client", "captured")
        live.command("connectors", "remove", "--yes")
        live.edit('DELETE FROM "AxInvoiceGroup" WHERE "igKey" = 1')
        live.edit('UPDATE "AxVec" SET "vecDescription" = \'renamed meanwhile\' WHERE "vecKey" = 2')
        applied = live.command("connectors", "apply")["data"]
        assert (applied["is_resnapshot"], applied["epoch"]) == (True, 2)
        wait_until(
            lambda: live.project(10, "Client") == "renamed meanwhile",
            "swept",
        )


def test_a_truncate_is_refused_as_sql_server_does_and_check_says_where_it_is_not(
    live: Live,
) -> None:
    """Debezium drops truncates when it flattens:
    rows that vanish without an event each would be missed.
    """
    with pytest.raises(psycopg.errors.RaiseException):
        live.edit('TRUNCATE "AxInvoiceGroup"')
    live.edit('ALTER TABLE "AxInvoiceGroup" DISABLE TRIGGER refuse')
    lines = live.command("check", expect=3)["data"]["lines"]
    (found,) = [line["found"] for line in lines if not line["is_ok"]]
    assert found == "possible on AxInvoiceGroup, and would be missed"


@pytest.mark.parametrize(
    ("broken", "mended", "words"),
    [
        (
            'ALTER TABLE "AxVec" RENAME "vecZip" TO "vecPostalCode"',
            'ALTER TABLE "AxVec" RENAME "vecPostalCode" TO "vecZip"',
            "AxVec.vecZip is missing, needed by client -> Organization.Post Code",
        ),
        (
            (
                'ALTER TABLE "AxVec" ALTER "vecIsClient" DROP DEFAULT, ALTER "vecIsClient" TYPE '
                'text USING "vecIsClient"::text'
            ),
            'ALTER TABLE "AxVec" ALTER "vecIsClient" TYPE boolean USING "vecIsClient"::boolean',
            "AxVec.vecIsClient has type string",
        ),
    ],
    ids=["renamed", "retyped"],
)
def test_a_needed_column_that_changes_halts_its_table_until_it_is_mended(
    live: Live, broken: str, mended: str, words: str
) -> None:
    """The error names column, mapping line and schema id. Mended in the source,
    what came with the broken schema still waits.
    """
    with live.consumers() as (member,):
        wait_until(lambda: live.organization(1) == "first client", "captured")
        live.edit(broken)
        live.edit(
            'UPDATE "AxVec" SET "vecDescription" = \'under the broken schema\' WHERE "vecKey" = 1'
        )
        wait_until(lambda: "decode.contract" in halted(member), "halted")
        assert words in halted(member)
        assert "schema id" in halted(member)
        live.edit('UPDATE "AxProject" SET "prjDescription" = \'goes on\' WHERE "prjKey" = 10')
        wait_until(
            lambda: live.project(10, "Name") == "goes on",
            "another table goes on",
        )
        live.edit(mended)
    assert live.organization(1) == "first client"
    live.command("connectors", "remove", "--yes")
    live.command("connectors", "apply")
    with live.consumers():
        wait_until(
            lambda: live.organization(1) == "under the broken schema",
            "a new snapshot brings it, and what it replaces is skipped by itself",
        )


def halted_at(live: Live) -> list[tuple[str, int, int, str]]:
    """What any process sees in the route's state."""
    columns = 'topic, "partition", "offset", code'
    return live.pim.execute(f"SELECT {columns} FROM sync.halted").fetchall()


def test_messages_of_a_broken_schema_are_skipped_while_the_consumer_runs(live: Live) -> None:
    """Mended in the source, what came between still halts its table. A person says that it may be
    skipped: the table continues, its rows are named for a backfill, and none differs after it.
    """
    live.edit('UPDATE "AxVec" SET "vecDescription" = \'before\' WHERE "vecKey" IN (1, 2)')
    with live.consumers() as (member,):
        wait_until(lambda: live.organization(2) == "before", "captured")
        live.edit('ALTER TABLE "AxVec" RENAME "vecZip" TO "vecPostalCode"')
        live.edit('UPDATE "AxVec" SET "vecDescription" = \'lost\' WHERE "vecKey" = 1')
        wait_until(lambda: halted_at(live), "halted, and the route's state has it")
        ((topic, partition, offset, code),) = halted_at(live)
        assert (topic, code) == (f"{live.name}.AxVec", "decode.contract")
        live.edit('ALTER TABLE "AxVec" RENAME "vecPostalCode" TO "vecZip"')
        live.edit('UPDATE "AxVec" SET "vecDescription" = \'behind\' WHERE "vecKey" = 2')
        words = ("skip", topic, str(partition), f"{offset}..")
        rehearsed = live.command(*words, "--dry-run")["data"]
        assert (rehearsed["done"], rehearsed["undecodable"]) == (False, {"decode.contract": 1})
        assert rehearsed["keys"] == ["1"]
        assert halted_at(live) != []
        done = live.command(*words, "--yes")["data"]
        assert (done["done"], done["backfill"]) == (
            True,
            "ajera-cdc backfill ajera AxVec --key '1'",
        )
        wait_until(lambda: live.organization(2) == "behind", "what stands behind is applied")
        wait_until(lambda: not halted_at(live) and not halted(member), "the halt is over")
        found = "SELECT key, code, reason FROM sync.skipped_message"
        assert live.pim.execute(found).fetchall() == [
            ('{"vecKey":1}', "decode.contract", "operator")
        ]
        assert live.organization(1) == "before"
        live.edit('UPDATE "AxVec" SET "vecDescription" = \'read again\' WHERE "vecKey" = 1')
        wait_until(lambda: live.organization(1) == "read again", "the next change brings the row")
        wait_until(lambda: not live.pim.execute(found).fetchall(), "it needs no backfill any more")


def has_arrived(live: Live, postcode: str, name: str) -> bool:
    """Both edits are in PIM."""
    return (live.organization(1, "Post Code"), live.project(10, "Name")) == (postcode, name)


HARMLESS = {
    "added": 'ALTER TABLE "AxVec" ADD "vecColour" text DEFAULT \'blue\'',
    "dropped, needed by nobody": 'ALTER TABLE "AxVec" DROP "vecClientNotes"',
    "renamed, needed by nobody": 'ALTER TABLE "AxVec" RENAME "vecColour" TO "vecShade"',
    "text narrowed": 'ALTER TABLE "AxVec" ALTER "vecZip" TYPE varchar(9)',
    "text widened": 'ALTER TABLE "AxVec" ALTER "vecZip" TYPE varchar(200)',
    "number widened": 'ALTER TABLE "AxProject" ALTER "prjStatus" TYPE bigint',
    "number narrowed": 'ALTER TABLE "AxProject" ALTER "prjStatus" TYPE smallint',
    "made nullable": 'ALTER TABLE "AxProject" ALTER "prjStatus" DROP NOT NULL',
    "made required": 'ALTER TABLE "AxVec" ALTER "vecZip" SET NOT NULL',
}


def test_columns_that_change_within_the_contract_change_nothing_else(
    live: Live,
) -> None:
    """Each change while a consumer runs, then edits of both tables:
    old and new schemas stand in one partition.
    """
    live.edit('UPDATE "AxVec" SET "vecZip" = \'00000\'')
    with live.consumers() as (member,):
        wait_until(lambda: live.organization(1) == "first client", "captured")
        for number, (what, statement) in enumerate(HARMLESS.items()):
            live.edit(statement)
            postcode, status = f"9720{number}", 1 + number % 2
            live.edit(
                'UPDATE "AxVec" SET "vecZip" = %s WHERE "vecKey" = 1',
                postcode,
            )
            values = (what, status)
            live.edit(
                (
                    'UPDATE "AxProject" SET "prjDescription" = %s, "prjStatus" = %s'
                    ' WHERE "prjKey" = 10'
                ),
                *values,
            )
            wait_until(partial(has_arrived, live, postcode, what), what)
            assert live.project(10, "Status") == ("Active", "Hold")[status - 1]
        assert halted(member) == ""
    assert live.one("SELECT count(*) FROM sync.due") == 0


def test_a_source_that_cannot_be_captured_is_explained_in_one_sentence(
    live: Live,
) -> None:
    """A wrong password is told as such, with exit code 3 and no password."""
    live.command("connectors", "remove", "--yes")
    live.configure(sources={"ajera": {"connect_password": "wrong-secret"}})
    answer = live.command("connectors", "apply", expect=3)
    assert answer["error"]["code"] == "connect.failed"
    assert "password" in answer["error"]["message"]
    assert "wrong-secret" not in str(answer)
    live.configure(sources={"ajera": {"connect_password": "${env:AJERA_CDC_SOURCE_PASSWORD}"}})


def test_a_table_that_joins_the_list_of_a_connector_needs_a_new_snapshot(live: Live) -> None:
    """So it is when a route is added: what the table holds would never come, and count as read."""
    connector = live.settings()["sources"]["ajera"]["connector_name"]
    address = f"{live.stack.connect}/connectors/{connector}/config"
    config = httpx.get(address).json()
    tables = config["table.include.list"].split(",")
    fewer = ",".join(table for table in tables if not table.endswith("AxResource"))
    httpx.put(address, json={**config, "table.include.list": fewer}).raise_for_status()
    answer = live.command("connectors", "apply", expect=3)
    assert answer["error"]["code"] == "connect.snapshot_needed"
    assert "AxResource" in answer["error"]["message"]
    live.insert("AxVec", {"vecKey": 5, "vecLastName": "Lie", "vecIsEmployee": True})
    drafter = {"resKey": 1, "resProject": 10, "resEmployee": 5, "resRole": "Drafter"}
    live.insert("AxResource", drafter)
    live.command("connectors", "remove", "--yes")
    assert live.command("connectors", "apply")["data"]["is_resnapshot"] is True
    roles = 'SELECT count(*) FROM "Project_Contact"'
    with live.consumers():
        wait_until(lambda: live.one(roles) == 1, "the row that was there before")
