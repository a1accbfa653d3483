"""Connector templates, Connect's REST interface, and one sentence for a stack trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Literal

import httpx
import pytest

from pipeline.connect.client import ConnectClient
from pipeline.connect.explain import explain
from pipeline.connect.templates import fill, load, placeholders
from pipeline.errors import ConfigurationInvalid, ConnectorFailed, ServiceUnreachable

Answer = Callable[[httpx.Request], httpx.Response]


def client(answer: Answer) -> ConnectClient:
    return ConnectClient("http://connect", timeout_seconds=1.0, transport=httpx.MockTransport(answer))


# -- templates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["postgres", "sqlserver"])
@pytest.mark.parametrize("registry", ["apicurio", "confluent"])
def test_a_template_is_filled_whole_and_keeps_secrets_as_expressions(
    dialect: Literal["postgres", "sqlserver"], registry: Literal["apicurio", "confluent"]
) -> None:
    """What Connect resolves passes through; nothing of ours is left."""
    template = load("ajera", dialect, registry)
    values = dict.fromkeys(placeholders(template), "x") | {"source_password": "${env:SECRET}"}
    filled = fill(template, values)
    assert filled["database.password"] == "${env:SECRET}"
    assert not any("@{" in value for value in filled.values())
    assert filled["key.converter"].endswith("JsonConverter"), "the partition hangs on the key's bytes"
    assert filled["key.converter.schemas.enable"] == "false"
    assert "op,source.ts_ms" in filled["transforms.unwrap.add.fields"]
    assert filled["transforms.unwrap.delete.tombstone.handling.mode"] == "rewrite-with-tombstone"
    assert filled["transforms.epoch.static.field"] == "__epoch"
    assert filled["topic.creation.default.cleanup.policy"] == "delete"


def test_sql_servers_connector_tells_commit_times_and_locks_nobody_out() -> None:
    """In `direct` mode the time is that of the begin; repeatable_read locks Ajera's users out of the tables."""
    template = load("ajera", "sqlserver")
    assert template["data.query.mode"] == "function"
    assert template["snapshot.isolation.mode"] == "snapshot"
    assert {"source.commit_lsn", "source.change_lsn", "source.event_serial_no"} <= set(
        template["transforms.unwrap.add.fields"].split(",")
    )


def test_missing_and_surplus_values_are_all_named() -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigurationInvalid, match=r"missing: b; not in the template: c"):
        fill({"x": "@{a}@{b}"}, {"a": "1", "c": "2"})


def test_a_setting_that_becomes_empty_is_left_out() -> None:
    """It keeps the connector's own default."""
    assert fill({"x": "@{a}", "y": "1"}, {"a": ""}) == {"y": "1"}


# -- the REST interface -----------------------------------------------------------------------------------------------------


def status(state: str, *tasks: dict[str, object]) -> httpx.Response:
    return httpx.Response(200, json={"name": "a", "connector": {"state": state}, "tasks": list(tasks)})


def test_a_configuration_that_the_connector_refuses_is_told_whole_and_not_stored() -> None:
    """Every setting with its own complaint; groups without a value are passed over."""
    calls: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request.method + " " + request.url.path)
        faulty = [{"value": {"name": "slot.name", "errors": ["must not be empty"]}}, {"value": None}]
        return httpx.Response(
            200, json={"configs": [*faulty, {"value": {"name": "database.port", "errors": ["no number"]}}]}
        )

    with pytest.raises(ConnectorFailed, match=r"database\.port: no number; slot\.name: must not be empty"):
        client(answer).apply("a", {"connector.class": "x.Y"})
    assert calls == ["PUT /connector-plugins/x.Y/config/validate"]


def test_a_worker_that_is_rebalancing_is_asked_again() -> None:
    """HTTP 409 is no answer."""
    answers = iter(
        [httpx.Response(409, json={"message": "rebalance"}), status("RUNNING", {"id": 0, "state": "RUNNING"})]
    )
    assert client(lambda _: next(answers)).status("a").is_running


def test_a_connector_that_is_not_there_is_absent_and_removing_it_says_so() -> None:
    """Not an error: that is what was wanted."""

    def answer(request: httpx.Request) -> httpx.Response:
        return (
            httpx.Response(200, json=[])
            if request.url.path == "/connectors"
            else httpx.Response(404, json={"message": "no"})
        )

    assert client(answer).status("a").state == "ABSENT"
    assert client(answer).remove("a") is False


def test_waiting_ends_at_once_with_the_cause_when_a_task_fails() -> None:
    """One sentence, not the stack trace."""
    trace = 'org.x.ConnectException: boom\n\tat x\nCaused by: org.postgresql.util.PSQLException: FATAL: password authentication failed for user "u"'
    failed = {"id": 0, "state": "FAILED", "trace": trace}
    with pytest.raises(ConnectorFailed, match="password") as raised:
        client(lambda _: status("RUNNING", failed)).wait_until_running("a", 5, lambda _: None)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("code", [401, 403])
def test_refused_credentials_and_a_silent_connect_are_told_apart(code: int) -> None:
    """Both are the environment's."""
    with pytest.raises(ServiceUnreachable, match="credentials are refused"):
        client(lambda _: httpx.Response(code)).connectors()

    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(ServiceUnreachable, match="ConnectError"):
        client(away).connectors()
    with pytest.raises(ServiceUnreachable, match="not an answer of Kafka Connect"):
        client(lambda _: httpx.Response(500, text="<html>")).connectors()


# -- explanations -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trace", "words"),
    [
        ('PSQLException: FATAL: password authentication failed for user "jane"', "password"),
        ("ERROR: permission denied for table AxVec", "may not read"),
        ("SQLServerException: Snapshot isolation is not allowed in this database", "ALLOW_SNAPSHOT_ISOLATION"),
        ("Invalid object name 'Ajera.cdc.change_tables'", "sp_cdc_enable_db"),
        ("No table has enabled CDC or security constraints prevents getting the list", "sp_cdc_enable_table"),
        ("Insufficient number of arguments were supplied for the procedure or function cdc.fn_cdc_get_all", "lost"),
        ("java.net.UnknownHostException: db.example", "host name is unknown"),
        ("org.postgresql.util.PSQLException: Connection to db.example:5432 refused", "does not accept connections"),
    ],
)
def test_a_well_known_cause_is_told_in_our_words(trace: str, words: str) -> None:
    """With what to do about it."""
    assert words in explain(f"org.apache.kafka.connect.errors.ConnectException: x\nCaused by: {trace}")


def test_an_unknown_cause_is_its_root_line_without_values() -> None:
    """Quoted and bracketed text, numbers and what follows `value` may be a row's."""
    told = explain("A: b\n\tat c\nCaused by: X: cannot convert value 'Jane Doe' of (555-1234) = 42,000\n\tat d")
    assert told.startswith("X: cannot convert")
    assert "Jane" not in told
    assert "555" not in told
    assert json.dumps(told)
