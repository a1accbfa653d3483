"""Connectors that fail, are restarted, paused and stopped, on the real stack."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deploy.demo.consumers import Consumer
from deploy.local.stack import Stack
from deploy.sample import databases
from tests.support.live import Live, client, live_firm, wait_until

pytestmark = pytest.mark.stack


@pytest.fixture
def uncaptured(stack: Stack) -> Iterator[Live]:
    """A firm of its own for each test, without a connector yet."""
    with live_firm(stack, f"states-{uuid.uuid4().hex[:6]}", partitions=1) as firm:
        yield firm


@pytest.fixture
def live(uncaptured: Live) -> Live:
    """The same, captured."""
    uncaptured.insert("AxVec", client(1, "first client"))
    uncaptured.edit('ALTER TABLE "AxVec" DISABLE TRIGGER remember')
    uncaptured.command("connectors", "apply")
    return uncaptured


def connector(live: Live, *words: str, expect: int | None = 0) -> dict[str, Any]:
    """What the command says of the one connector."""
    (found,) = live.command("connectors", *words, expect=expect)["data"]["connectors"]
    return dict(found)


def rename(live: Live, name: str) -> None:
    live.edit('UPDATE "AxVec" SET "vecDescription" = %s WHERE "vecKey" = 1', name)


def fail(live: Live) -> None:
    """The registry is gone while a schema that it does not know is to be registered."""
    live.stack.stop_part("registry")
    try:
        live.edit(f'ALTER TABLE "AxVec" ADD "vec{uuid.uuid4().hex[:6]}" text')
        rename(live, "edited meanwhile")
        wait_until(lambda: _has_failed(live), "the task has failed", 120.0)
    finally:
        live.stack.start_part("registry")


def _has_failed(live: Live) -> bool:
    name = live.settings()["sources"]["ajera"]["connector_name"]
    status = httpx.get(f"{live.stack.connect}/connectors/{name}/status").json()
    return any(task["state"] == "FAILED" for task in status["tasks"])


@pytest.mark.parametrize("remedy", ["restart", "apply"])
def test_a_task_that_failed_says_why_and_is_restarted_without_a_loss(
    live: Live, remedy: str
) -> None:
    """`status` shows it FAILED, though its connector says RUNNING; what was edited comes. No
    consumer is faster than the person who types: they watch nothing here.
    """
    live.configure(connect={"watch": False})
    with live.consumers():
        wait_until(lambda: live.organization(1) == "first client", "captured")
        fail(live)
        shown = connector(live, "status", expect=3)["status"]
        (task,) = shown["tasks"]
        assert (shown["state"], task["state"]) == ("RUNNING", "FAILED")
        assert task["worker"]
        assert "registry" in task["explanation"]
        if remedy == "restart":
            done = connector(live, "restart")
            assert (done["done"], done["error"]) == ("restarted", "")
        else:
            assert live.command("connectors", "apply")["data"]["is_resnapshot"] is False
        wait_until(lambda: live.organization(1) == "edited meanwhile", "it goes on")
    assert connector(live, "restart")["done"].startswith("nothing")


def test_a_task_that_failed_while_the_registry_was_away_comes_back_by_itself(live: Live) -> None:
    """Nobody types anything: a consumer watches its connector. Its health says so, and is well
    again at the end; no row differs.
    """
    live.configure(connect={"restart_initial_seconds": 1.0, "watch_interval_seconds": 0.5})
    with live.consumers() as (member,):
        wait_until(lambda: live.organization(1) == "first client", "captured")
        live.edit('ALTER TABLE "AxVec" ENABLE TRIGGER remember')
        live.stack.stop_part("registry")
        restart_task(live)  # whose converter knows no schema then
        rename(live, "edited meanwhile")
        name = f"connector {live.name}"
        wait_until(lambda: "FAILED" in reasons(member).get(name, ""), "health names it", 120.0)
        live.stack.start_part("registry")
        wait_until(lambda: live.organization(1) == "edited meanwhile", "it goes on", 120.0)
        wait_until(lambda: name not in reasons(member), "health is well again")
        text = httpx.get(f"{member.address}/metrics").text
        (restarts,) = re.findall(rf'connector_restarts_total{{connector="{live.name}"}} (.*)', text)
        assert float(restarts) >= 1
    live.wait_until_right()


def restart_task(live: Live) -> None:
    name = live.settings()["sources"]["ajera"]["connector_name"]
    asked = f"{live.stack.connect}/connectors/{name}/restart?includeTasks=true&onlyFailed=false"
    httpx.post(asked).raise_for_status()


def reasons(member: Consumer) -> dict[str, str]:
    found: dict[str, str] = httpx.get(f"{member.address}/health", timeout=5).json()["reasons"]
    return found


def test_a_connector_that_was_paused_or_stopped_stays_so_until_it_is_resumed(live: Live) -> None:
    """Also through `apply`; an edit meanwhile comes afterwards."""
    with live.consumers():
        wait_until(lambda: live.organization(1) == "first client", "captured")
        for action, state in (("pause", "PAUSED"), ("stop", "STOPPED")):
            assert connector(live, action)["status"]["state"] == state
            rename(live, f"while {state}")
            live.command("connectors", "apply")  # Connect may be giving out its tasks anew
            wait_until(
                lambda: connector(live, "status", expect=None)["status"]["state"] == state,  # noqa: B023
                f"{state} after apply",
            )
            connector(live, "status", expect=3)
            assert live.organization(1) != f"while {state}"
            assert connector(live, "resume")["status"]["state"] == "RUNNING"
            wait_until(lambda: live.organization(1) == f"while {state}", f"resumed after {action}")  # noqa: B023


def test_a_rehearsal_shows_the_difference_and_changes_nothing(live: Live) -> None:
    """A setting that the file changes; then a table that would need a new snapshot."""
    wait_until(lambda: connector(live, "status")["has_offsets"], "offsets are stored")
    assert live.command("connectors", "apply", "--dry-run")["data"]["differences"] == []
    live.configure(sources={"ajera": {"heartbeat_seconds": 2.0}})
    data = live.command("connectors", "apply", "--dry-run")["data"]
    assert data["differences"] == [
        {"setting": "heartbeat.interval.ms", "running": "1000", "applied": "2000"}
    ]
    again = live.command("connectors", "apply", "--dry-run")["data"]
    assert again["differences"] == data["differences"]
    live.command("connectors", "remove", "--yes")
    data = live.command("connectors", "apply", "--dry-run")["data"]
    assert (data["is_resnapshot"], data["epoch"]) == (True, 2)
    assert "public.AxVec" in data["new_tables"]
    assert connector(live, "status", expect=3)["status"]["state"] == "ABSENT"


def test_a_connector_that_is_not_there_is_named_with_the_command_that_makes_it(
    live: Live,
) -> None:
    """Whatever is asked of it."""
    live.command("connectors", "remove", "--yes")
    for action in ("restart", "pause", "resume", "stop"):
        assert "connectors apply" in connector(live, action, expect=3)["error"]


def test_an_open_transaction_that_capture_waits_for_is_named_and_the_connector_can_be_removed(
    uncaptured: Live,
) -> None:
    """PostgreSQL makes a replication slot when every transaction that was open has ended. What
    waits for that is ended, too, when its connector is removed; then capture begins as ever.
    """
    uncaptured.configure(connect={"timeout_seconds": 3.0})
    with databases.connect(uncaptured.pim_url) as other, other.transaction():
        (pid,) = other.execute("SELECT pg_backend_pid()").fetchone() or ()
        other.execute("CREATE TABLE unfinished (id int)")
        error = uncaptured.command("connectors", "apply", expect=3)["error"]
        assert f"of process {pid} in the database" in error["message"]
        again = uncaptured.command("connectors", "apply", expect=3)["error"]
        assert f"pg_terminate_backend({pid})" in again["message"]
        removed = uncaptured.command("connectors", "remove", "--yes")["data"]
        assert removed["was_there"]
    uncaptured.configure(connect={"timeout_seconds": 120.0})
    uncaptured.command("connectors", "apply")
