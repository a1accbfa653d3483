"""Ajera and DPS kept in step on the real stack: Debezium on both databases,
and every write as the databases log it.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator

import pytest

from deploy.local.stack import Stack
from tests.faults import audit
from tests.support.exchange import Exchanged, live_exchange
from tests.support.live import wait_until

pytestmark = pytest.mark.stack

SEED = 20_26


@pytest.fixture(scope="module")
def firm(stack: Stack) -> Iterator[Exchanged]:
    """Both databases captured; a client and a project were there before anybody captured."""
    with live_exchange(stack, "exchange", captured=False) as exchanged:
        exchanged.client(1, "Hill & Co", vecWebsite="hill.example", vecCity="Oslo")
        exchanged.firm("B2", "Bay Partners", WebSite="bay.example")
        exchanged.live.insert(
            "AxProject",
            {
                "prjKey": 10,
                "prjID": "P-10",
                "prjDescription": "Library",
                "prjStatus": 1,
                "prjSyncToCRM": True,
                "prjCreateInCRM": True,
            },
        )
        exchanged.audited()
        exchanged.command("connectors", "apply")
        exchanged.command("connectors", "apply", "--source", "dps")
        yield exchanged


def name_in_dps(firm: Exchanged, key: int = 1) -> object:
    return firm.in_dps(
        'SELECT f."Name" FROM "Clendor" AS f JOIN sync.link AS l ON l.dps_key = f."ClientID"'
        " WHERE l.entity = 'firm' AND l.ajera_key = %s",
        str(key),
    )


def test_what_was_there_is_linked_or_made_on_the_other_side(
    firm: Exchanged,
) -> None:
    """By the snapshots of both databases."""
    with firm.consumers(2):
        wait_until(lambda: name_in_dps(firm) == "Hill & Co", "the client is in DPS")
        wait_until(
            lambda: (
                firm.in_ajera(
                    'SELECT count(*) FROM "AxVec" WHERE "vecDescription" = %s',
                    "Bay Partners",
                )
                == 1
            ),
            "the firm is in Ajera",
        )
        wait_until(
            lambda: firm.in_dps('SELECT "Name" FROM "PR" WHERE "WBS1" = %s', "P-10") == "Library",
            "the project is there",
        )
        wait_until(
            lambda: firm.in_dps('SELECT "City" FROM "CLAddress"') == "Oslo",
            "so is the address",
        )


def test_an_edit_makes_one_write_on_the_other_side_and_its_echo_none(
    firm: Exchanged,
) -> None:
    """Counted in both databases' own logs, after both captures have gone on beyond the echoes."""
    firm.audited()
    with firm.consumers(2):
        for number in range(20):
            firm.in_dps(
                'UPDATE "Clendor" SET "WebSite" = %s WHERE "ClientID" = %s',
                f"bay{number}.example",
                "B2",
            )
            firm.in_ajera(
                'UPDATE "AxVec" SET "vecDescription" = %s WHERE "vecKey" = 1',
                f"Hill {number}",
            )
        wait_until(
            lambda: name_in_dps(firm) == "Hill 19",
            "the last name is in DPS",
        )
        wait_until(
            lambda: (
                firm.in_ajera(
                    'SELECT "vecWebsite" FROM "AxVec" WHERE "vecDescription" = %s',
                    "Bay Partners",
                )
                == "bay19.example"
            ),
            "the last site is in Ajera",
        )
        firm.wait_until_read()
    assert 1 <= len(firm.writes("dps")) <= 20
    assert 1 <= len(firm.writes("ajera")) <= 20
    assert {write.now["Name"] for write in firm.writes("dps") if write.now} <= {
        f"Hill {number}" for number in range(20)
    }


def test_a_replay_of_both_topics_under_live_edits_writes_nothing_of_the_past(
    firm: Exchanged,
) -> None:
    """Every event since the beginning once more, while one more edit is made."""
    firm.wait_until_stopped()
    firm.audited()
    before = firm.events_read()
    again = 0
    for topic in (
        "exchange.AxVec",
        "exchange.AxProject",
        "exchange_dps.Clendor",
        "exchange_dps.PR",
    ):
        words = (
            "replay",
            "--route",
            "dps",
            "--topic",
            topic,
            "--to-beginning",
            "--yes",
        )
        again += firm.command(*words)["data"]["again"]
    assert again > 40
    with firm.consumers():
        firm.in_ajera(
            'UPDATE "AxVec" SET "vecDescription" = %s WHERE "vecKey" = 1',
            "Hill & Daughters",
        )
        wait_until(
            lambda: firm.events_read() >= before + again + 1,
            "everything was read again",
        )
        wait_until(
            lambda: name_in_dps(firm) == "Hill & Daughters",
            "the new edit is in DPS",
        )
        firm.wait_until_read()
    assert len(firm.writes("dps")) == 1
    assert firm.writes("ajera") == []


def test_consumers_killed_at_random_lose_nothing_and_write_nothing_twice(
    firm: Exchanged,
) -> None:
    """Edits on both sides while one consumer after the other gets SIGKILL."""
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    firm.audited()
    last = ""
    for round_number in range(6):
        with firm.consumers() as (member,):
            for number in range(chance.randrange(3, 25)):
                last = f"{round_number}.{number}"
                firm.in_ajera(
                    'UPDATE "AxVec" SET "vecDescription" = %s WHERE "vecKey" = 1',
                    f"Hill {last}",
                )
                firm.in_dps(
                    'UPDATE "Clendor" SET "WebSite" = %s WHERE "ClientID" = %s',
                    f"bay{last}.example",
                    "B2",
                )
                if number % 5 == 0:
                    firm.wait_for_a_write()
            member.process.send_signal(signal.SIGKILL)
            member.process.wait(10)
            firm.forgive(member)
    with firm.consumers():
        wait_until(
            lambda: name_in_dps(firm) == f"Hill {last}",
            "the last name is in DPS",
        )
        wait_until(
            lambda: (
                firm.in_ajera(
                    'SELECT "vecWebsite" FROM "AxVec" WHERE "vecDescription" = %s',
                    "Bay Partners",
                )
                == f"bay{last}.example"
            ),
            "the last site is in Ajera",
        )
        firm.wait_until_read()
    for side in ("ajera", "dps"):
        assert audit.repeated(firm.writes(side)) == 0, f"a write in {side} changed nothing"
    assert firm.in_dps("SELECT count(*) FROM sync.link WHERE entity = 'firm'") == 2


def test_a_collision_is_decided_by_its_rule_and_told_in_the_log(
    firm: Exchanged,
) -> None:
    """Both typed while nobody listened; the later one stands, and the log has both."""
    firm.in_ajera(
        'UPDATE "AxVec" SET "vecDescription" = %s WHERE "vecKey" = 1',
        "Ann's name",
    )
    firm.wait_seconds_pass(2.5)
    firm.in_dps(
        'UPDATE "Clendor" SET "Name" = %s WHERE "ClientID" <> %s',
        "Bob's name",
        "B2",
    )
    with firm.consumers():
        wait_until(
            lambda: (
                firm.in_ajera('SELECT "vecDescription" FROM "AxVec" WHERE "vecKey" = 1')
                == "Bob's name"
            ),
            "Bob typed later",
        )
        firm.wait_until_read()
    newest = firm.command("conflicts", "list")["data"]["log"][0]
    assert (newest["kind"], newest["line"], newest["winner"]) == (
        "update_origin_differs",
        "name",
        "dps",
    )
    assert (newest["ajera"], newest["dps"]) == ("Ann's name", "Bob's name")


def test_what_changed_while_nobody_captured_is_found_by_the_next_snapshot(
    firm: Exchanged,
) -> None:
    """DPS's connector is removed and applied anew: an edit and a delete made in between arrive."""
    firm.command("connectors", "remove", "--source", "dps", "--yes")
    firm.in_dps(
        'UPDATE "Clendor" SET "WebSite" = %s WHERE "ClientID" <> %s',
        "gap.example",
        "B2",
    )
    firm.in_dps('DELETE FROM "Clendor" WHERE "ClientID" = %s', "B2")
    assert firm.command("connectors", "apply", "--source", "dps")["data"]["is_resnapshot"]
    with firm.consumers():
        wait_until(
            lambda: (
                firm.in_ajera('SELECT "vecWebsite" FROM "AxVec" WHERE "vecKey" = 1')
                == "gap.example"
            ),
            "the edit arrived",
        )
        wait_until(
            lambda: (
                firm.in_dps(
                    "SELECT state FROM sync.link WHERE entity = 'firm' AND dps_key = %s",
                    "B2",
                )
                == "ended"
            ),
            "the delete was found",
        )
    assert (
        firm.in_ajera(
            'SELECT count(*) FROM "AxVec" WHERE "vecDescription" = %s',
            "Bay Partners",
        )
        == 1
    )


def test_status_lag_and_check_show_the_exchange_of_a_firm_without_pim(
    firm: Exchanged,
) -> None:
    """Pairs, the group, both connectors, and that nobody else copies; no route has to be named."""
    found = firm.command("status", expect=None)["data"]
    (exchange,) = found["routes"]
    assert exchange["name"] == "dps"
    assert {one["entity"] for one in exchange["state"]["links"]} >= {
        "firm",
        "firm_address",
        "project",
    }
    assert all(connector["running"] for connector in found["connectors"])
    assert firm.lag()["group"] == "exchange-exchange"
    checked = firm.command("check")["data"]["lines"]
    assert next(line for line in checked if line["name"] == "second writer")["is_ok"]
    assert all(line["is_ok"] for line in checked), [line for line in checked if not line["is_ok"]]
