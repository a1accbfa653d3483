"""Kafka Connect's REST interface, as it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pipeline.connect import client as module
from pipeline.connect.client import ConnectClient
from pipeline.errors import (
    ConfigurationInvalid,
    ConnectorFailed,
    CredentialsRefused,
    ServiceUnreachable,
)

CLASS = "io.debezium.connector.postgresql.PostgresConnector"
CONFIG = {"connector.class": CLASS, "tasks.max": "1"}
VALIDATE = f"/connector-plugins/{CLASS}/config/validate"
REBALANCING = (
    409,
    {"message": "Cannot complete request momentarily due to stale configuration"},
)
REFUSED_PASSWORD = (
    "a.B: x\n\tat y\nCaused by: org.postgresql.util.PSQLException: FATAL: password authentication "
    'failed for user "CANARY"'
)

Answer = tuple[int, Any]


class Worker:
    """A Connect worker: answers by method and path, the last one again and again;
    every request is kept.
    """

    def __init__(self, **answers: list[Answer]) -> None:
        self.answers: dict[str, list[Answer]] = answers
        self.requests: list[str] = []
        self.bodies: list[Any] = []
        self.fault: Callable[[httpx.Request], Exception] | None = None

    def say(self, request: str, *answers: Answer) -> Worker:
        """Answer this `METHOD /path` with these in turn."""
        self.answers[request] = list(answers)
        return self

    def client(self, timeout_seconds: float = 5.0) -> ConnectClient:
        return ConnectClient(
            "http://connect:8083/",
            timeout_seconds,
            transport=httpx.MockTransport(self._answer),
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.fault is not None:
            raise self.fault(request)
        asked = f"{request.method} {request.url.path}"
        self.requests.append(asked)
        self.bodies.append(json.loads(request.content) if request.content else None)
        left = self.answers[asked]
        status, body = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(body, str):
            return httpx.Response(status, text=body)
        return httpx.Response(status) if body is None else httpx.Response(status, json=body)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking again takes no time."""
    monkeypatch.setattr(module, "POLL_SECONDS", 0.0)


def state(connector: str, *tasks: str, trace: str = "") -> Answer:
    """Connect's answer on a connector and its tasks."""
    told = [{"id": number, "state": each, "worker_id": "w"} for number, each in enumerate(tasks)]
    for task in told:
        if task["state"] == "FAILED":
            task["trace"] = trace
    return 200, {
        "name": "ajera",
        "connector": {"state": connector, "worker_id": "w"},
        "tasks": told,
        "type": "source",
    }


def judged(*faults: tuple[str, list[str]]) -> Answer:
    """Connect's answer on a configuration."""
    configs = [
        {
            "definition": {"name": name},
            "value": {"name": name, "errors": errors},
        }
        for name, errors in faults
    ]
    configs.append({"definition": {"name": "odd"}, "value": None})
    return 200, {
        "name": CLASS,
        "error_count": len(faults),
        "groups": [],
        "configs": configs,
    }


def test_a_configuration_is_judged_before_it_is_stored() -> None:
    """By the connector itself, which also connects to its database."""
    worker = (
        Worker()
        .say(f"PUT {VALIDATE}", judged(("tasks.max", [])))
        .say("PUT /connectors/ajera/config", (201, {}))
    )
    worker.client().apply("ajera", CONFIG)
    assert worker.requests == [
        f"PUT {VALIDATE}",
        "PUT /connectors/ajera/config",
    ]
    assert worker.bodies == [{**CONFIG, "name": "ajera"}, CONFIG]


def test_a_configuration_that_is_refused_is_not_stored_and_all_its_faults_are_told() -> None:
    """Each with its setting, once."""
    faults: tuple[tuple[str, list[str]], ...] = (
        ("slot.name", ["must be set"]),
        ("topic.prefix", ["a", "a"]),
        ("tasks.max", []),
    )
    worker = Worker().say(f"PUT {VALIDATE}", judged(*faults))
    with pytest.raises(ConnectorFailed) as caught:
        worker.client().apply("ajera", CONFIG)
    assert str(caught.value).endswith("slot.name: must be set; topic.prefix: a")
    assert worker.requests == [f"PUT {VALIDATE}"]


def test_a_worker_that_is_rebalancing_is_asked_again() -> None:
    """409 is not an answer."""
    worker = Worker().say(
        "GET /connectors/ajera/status",
        REBALANCING,
        REBALANCING,
        state("RUNNING", "RUNNING"),
    )
    assert worker.client().status("ajera").is_running
    assert len(worker.requests) == 3


def test_a_worker_that_never_ends_rebalancing_is_told() -> None:
    """After the time of one request, with its own words."""
    worker = Worker().say("GET /connectors/ajera/status", REBALANCING)
    with pytest.raises(ConnectorFailed, match=r"HTTP 409: Cannot complete"):
        worker.client(timeout_seconds=0.0).status("ajera")


def test_a_connector_that_is_not_there_is_absent() -> None:
    """404 is an answer."""
    worker = Worker().say(
        "GET /connectors/ajera/status",
        (404, {"error_code": 404, "message": "No status found"}),
    )
    status = worker.client().status("ajera")
    assert status.sentence == "ajera ABSENT, no task yet"
    assert not status.is_running
    assert status.failure == ""


def test_a_404_where_there_must_be_something_is_a_refusal() -> None:
    """Connect says what is missing."""
    worker = Worker().say("PUT /connectors/ajera/config", (404, {"message": "Plugin is gone"}))
    worker.say(f"PUT {VALIDATE}", judged())
    with pytest.raises(ConnectorFailed, match=r"HTTP 404: Plugin is gone"):
        worker.client().apply("ajera", CONFIG)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_told_as_such(status: int) -> None:
    """Whatever page a proxy answers with."""
    worker = Worker().say("GET /connectors", (status, "<html>CANARY</html>"))
    with pytest.raises(CredentialsRefused, match="password is refused") as caught:
        worker.client().connectors()
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        (200, "<html>hello</html>"),
        (302, "moved"),
        (404, "nothing"),
        (500, "[]"),
        (500, "5"),
    ],
)
def test_an_answer_that_is_not_connects_points_at_the_address(
    answer: Answer,
) -> None:
    """Another web server at this port, a page of a proxy, a redirect to a login."""
    worker = Worker().say("GET /connectors", answer)
    with pytest.raises(ServiceUnreachable, match=r"connect\.url"):
        worker.client().connectors()


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_that_has_no_worker_is_the_environments_fault(
    status: int,
) -> None:
    """Not the connector's."""
    worker = Worker().say("GET /connectors", (status, {"message": "no worker"}))
    with pytest.raises(ServiceUnreachable, match="no worker"):
        worker.client().connectors()


def test_a_refusal_holds_no_value_of_a_row() -> None:
    """Connect passes a database's own message on."""
    worker = Worker().say(
        "GET /connectors",
        (500, {"message": 'Key (name)=(CANARY) or "CANARY" is odd'}),
    )
    with pytest.raises(ConnectorFailed) as caught:
        worker.client().connectors()
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError],
)
def test_a_worker_that_does_not_answer_is_unreachable(
    fault: type[httpx.TransportError],
) -> None:
    """Named by what went wrong and what was asked."""
    worker = Worker()
    worker.fault = lambda request: fault("CANARY", request=request)
    with pytest.raises(ServiceUnreachable, match=rf"GET /connectors: {fault.__name__}") as caught:
        worker.client().connectors()
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://host:port", "http://[::1"])
def test_an_address_that_is_none_is_a_fault_of_the_configuration(
    url: str,
) -> None:
    """At once, and by the key."""
    with pytest.raises(ConfigurationInvalid, match=r"connect\.url"):
        ConnectClient(url)


def test_the_password_goes_with_each_request() -> None:
    """And nowhere else."""
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("authorization", ""))
        return httpx.Response(200, json=[])

    client = ConnectClient("http://c", auth=("u", "p"), transport=httpx.MockTransport(answer))
    client.connectors()
    assert seen == ["Basic dTpw"]


def test_a_name_with_odd_signs_stays_one_part_of_the_path() -> None:
    """Nobody's connector is reached by another's name."""
    raw: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        raw.append(request.url.raw_path)
        return httpx.Response(404, json={"message": ""})

    ConnectClient("http://c", transport=httpx.MockTransport(answer)).status("../a b/c?d")
    assert raw == [b"/connectors/..%2Fa%20b%2Fc%3Fd/status"]


# -- waiting ---------------------------------------------------------------------------------------


def test_waiting_reports_each_change_of_state_once() -> None:
    """Until the connector and its task run."""
    told: list[str] = []
    worker = Worker().say(
        "GET /connectors/ajera/status",
        (404, {"message": "No status found"}),
        state("UNASSIGNED"),
        state("RUNNING"),
        state("RUNNING"),
        state("RUNNING", "UNASSIGNED"),
        state("RUNNING", "RUNNING"),
    )
    assert worker.client().wait_until_running("ajera", 5.0, told.append).is_running
    assert told == [
        "ajera ABSENT, no task yet",
        "ajera UNASSIGNED, no task yet",
        "ajera RUNNING, no task yet",
        "ajera RUNNING, task 0 UNASSIGNED",
        "ajera RUNNING, task 0 RUNNING",
    ]


def test_a_connector_without_a_task_does_not_run() -> None:
    """Nothing is captured yet, though the connector says RUNNING."""
    worker = Worker().say("GET /connectors/ajera/status", state("RUNNING"))
    with pytest.raises(ConnectorFailed, match=r"no task yet after 0 seconds"):
        worker.client().wait_until_running("ajera", 0.0, lambda _: None)


def test_waiting_ends_with_the_sentence_of_a_failed_task() -> None:
    """At once, without the trace and what it quotes."""
    worker = Worker().say(
        "GET /connectors/ajera/status",
        state("RUNNING", "UNASSIGNED"),
        state("RUNNING", "RUNNING", "FAILED", trace=REFUSED_PASSWORD),
    )
    with pytest.raises(ConnectorFailed) as caught:
        worker.client().wait_until_running("ajera", 60.0, lambda _: None)
    assert str(caught.value) == (
        "ajera RUNNING, task 0 RUNNING, task 1 FAILED: The user or the password was refused."
    )


def test_waiting_ends_when_the_connector_itself_failed() -> None:
    """It has no task to tell why."""
    status, body = state("FAILED")
    body["connector"]["trace"] = REFUSED_PASSWORD
    worker = Worker().say("GET /connectors/ajera/status", (status, body))
    with pytest.raises(ConnectorFailed, match="password was refused"):
        worker.client().wait_until_running("ajera", 60.0, lambda _: None)


# -- restarting, pausing, stopping -----------------------------------------------------------------

RESTART = "POST /connectors/ajera/restart"


def test_a_failed_task_is_shown_with_its_worker_its_sentence_and_its_own_first_line() -> None:
    """The connector says RUNNING all the while; the values of its words are left out."""
    worker = Worker().say(
        "GET /connectors/ajera/status", state("RUNNING", "FAILED", trace=REFUSED_PASSWORD)
    )
    status = worker.client().status("ajera")
    (task,) = status.tasks
    assert status.is_failed
    assert not status.is_running
    assert (status.worker, task.worker) == ("w", "w")
    assert task.explanation == "The user or the password was refused."
    assert task.cause == (
        "org.postgresql.util.PSQLException: FATAL: password authentication failed for user …"
    )


def test_a_failure_without_a_trace_is_a_failure() -> None:
    """Connect may have nothing to say about it."""
    worker = Worker().say("GET /connectors/ajera/status", state("RUNNING", "FAILED"))
    with pytest.raises(ConnectorFailed, match="says nothing"):
        worker.client().wait_until_running("ajera", 60.0, lambda _: None)


@pytest.mark.parametrize("only_failed", [True, False])
def test_a_restart_is_of_what_failed_or_of_everything(only_failed: bool) -> None:
    """The connector and its tasks, in one request."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.raw_path.decode()}")
        return httpx.Response(202, json={})

    client = ConnectClient("http://c", transport=httpx.MockTransport(answer))
    client.restart("ajera", only_failed=only_failed)
    flags = f"includeTasks=true&onlyFailed={str(only_failed).lower()}"
    assert asked == [f"{RESTART}?{flags}"]


def test_the_failure_from_before_a_restart_is_not_taken_for_a_new_one() -> None:
    """Connect shows it for a moment; then the task is assigned, and runs."""
    failed = state("RUNNING", "FAILED", trace=REFUSED_PASSWORD)
    worker = Worker().say(
        "GET /connectors/ajera/status",
        failed,
        failed,
        state("RUNNING", "RESTARTING"),
        state("RUNNING", "RUNNING"),
    )
    assert worker.client().wait_until_restarted("ajera", 5.0, lambda _: None).is_running


def test_what_ran_before_a_restart_is_not_taken_for_running_again() -> None:
    """Who typed the restart types what comes next, a backfill, say: by then it must run."""
    running = state("RUNNING", "RUNNING")
    worker = Worker().say(
        "GET /connectors/ajera/status", running, running, state("RUNNING", "RESTARTING"), running
    )
    client = worker.client()
    assert client.wait_until_restarted("ajera", 5.0, lambda _: None, was_running=True).is_running
    assert len(worker.requests) == 4


def test_a_task_that_fails_again_after_its_restart_is_told_at_once() -> None:
    """It was seen to begin."""
    failed = state("RUNNING", "FAILED", trace=REFUSED_PASSWORD)
    worker = Worker().say(
        "GET /connectors/ajera/status", failed, state("RUNNING", "RESTARTING"), failed
    )
    with pytest.raises(ConnectorFailed, match="password was refused"):
        worker.client().wait_until_restarted("ajera", 60.0, lambda _: None)
    assert len(worker.requests) == 3


def test_a_restart_that_nobody_saw_begin_is_told_once_it_must_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may fail again between two questions."""
    monkeypatch.setattr(module, "SETTLE_SECONDS", 0.0)
    worker = Worker().say(
        "GET /connectors/ajera/status", state("RUNNING", "FAILED", trace=REFUSED_PASSWORD)
    )
    with pytest.raises(ConnectorFailed, match="password was refused"):
        worker.client().wait_until_restarted("ajera", 60.0, lambda _: None)


def test_a_connector_is_paused_resumed_and_stopped_by_its_name() -> None:
    """As Connect has it, no body."""
    worker = Worker()
    for action in ("pause", "resume", "stop"):
        worker.say(f"PUT /connectors/ajera/{action}", (202, None))
    client = worker.client()
    client.pause("ajera")
    client.resume("ajera")
    client.stop("ajera")
    assert worker.requests == [
        f"PUT /connectors/ajera/{action}" for action in ("pause", "resume", "stop")
    ]


@pytest.mark.parametrize(
    ("answer", "is_paused", "is_stopped"),
    [
        (state("PAUSED", "RUNNING"), False, False),
        (state("PAUSED", "PAUSED"), True, False),
        (state("PAUSED", "FAILED", trace=REFUSED_PASSWORD), True, False),
        (state("STOPPED", "RUNNING"), False, False),
        (state("STOPPED"), False, True),
        (state("RUNNING", "RUNNING"), False, False),
    ],
)
def test_a_connector_is_paused_or_stopped_when_its_tasks_are(
    answer: Answer, is_paused: bool, is_stopped: bool
) -> None:
    """What the connector says of itself comes first."""
    status = Worker().say("GET /connectors/ajera/status", answer).client().status("ajera")
    assert (status.is_paused, status.is_stopped) == (is_paused, is_stopped)


# -- removing --------------------------------------------------------------------------------------


@pytest.fixture
def stopping() -> Worker:
    """A worker whose connector stops after a while."""
    worker = Worker()
    worker.say(
        "GET /connectors/ajera/status",
        *[state("RUNNING", "RUNNING")] * 2,
        state("STOPPED", "RUNNING"),
        state("STOPPED"),
    )
    worker.say("PUT /connectors/ajera/stop", (204, None))
    worker.say(
        "DELETE /connectors/ajera/offsets",
        (200, {"message": "The offsets were reset"}),
    )
    worker.say("DELETE /connectors/ajera", (204, None))
    return worker


def test_removing_stops_then_forgets_offsets_then_deletes(
    stopping: Worker,
) -> None:
    """Offsets can only be forgotten while it is stopped, and would else outlive it."""
    assert stopping.client().remove("ajera") is True
    assert [each for each in stopping.requests if not each.endswith("/status")] == [
        "PUT /connectors/ajera/stop",
        "DELETE /connectors/ajera/offsets",
        "DELETE /connectors/ajera",
    ]
    assert stopping.requests.index("DELETE /connectors/ajera/offsets") == 5, "its task still ran"


def test_a_connector_that_does_not_stop_is_not_deleted(
    stopping: Worker,
) -> None:
    """Its task may still write."""
    stopping.say("GET /connectors/ajera/status", state("RUNNING", "RUNNING"))
    with pytest.raises(ConnectorFailed, match="does not stop"):
        stopping.client(timeout_seconds=0.0).remove("ajera")
    assert "DELETE /connectors/ajera" not in stopping.requests


def test_removing_what_is_not_there_says_so() -> None:
    """And changes nothing."""
    worker = Worker().say(
        "GET /connectors/ajera/status",
        (404, {"message": "No status found"}),
    )
    worker.say("GET /connectors", (200, ["other"]))
    assert worker.client().remove("ajera") is False
    assert not [each for each in worker.requests if not each.startswith("GET")]


def test_a_connector_that_never_had_a_status_is_removed_all_the_same(
    stopping: Worker,
) -> None:
    """It is listed, though no worker has taken it yet."""
    stopping.say(
        "GET /connectors/ajera/status",
        (404, {"message": "No status found"}),
        state("STOPPED"),
    )
    stopping.say("GET /connectors", (200, ["ajera"]))
    assert stopping.client().remove("ajera") is True


# -- what there is ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "has"),
    [
        ((404, {"message": "Connector ajera not found"}), False),
        ((200, {"offsets": []}), False),
        (
            (
                200,
                {
                    "offsets": [
                        {
                            "partition": {"server": "ajera"},
                            "offset": {"lsn": 1},
                        }
                    ]
                },
            ),
            True,
        ),
    ],
)
def test_stored_offsets_tell_whether_a_snapshot_comes(answer: Answer, has: bool) -> None:
    """Without them the connector starts anew, and the epoch must rise."""
    assert (
        Worker().say("GET /connectors/ajera/offsets", answer).client().has_offsets("ajera") is has
    )


def test_connectors_and_plugins_are_listed() -> None:
    """A plugin without a version among them."""
    worker = Worker().say("GET /connectors", (200, ["b", "a"]))
    worker.say(
        "GET /connector-plugins",
        (
            200,
            [
                {"class": "X", "version": "3.6.1"},
                {"class": "Y", "version": None},
            ],
        ),
    )
    assert worker.client().connectors() == ["a", "b"]
    assert worker.client().plugins() == {"X": "3.6.1", "Y": ""}


LISTED = r"public\.AxVec,public\.PR"


@pytest.mark.parametrize(
    ("answer", "tables"),
    [
        ((200, {"table.include.list": LISTED}), {r"public\.AxVec", r"public\.PR"}),
        ((200, {"connector.class": CLASS}), set()),
        ((404, {"message": "Connector ajera not found"}), set()),
    ],
)
def test_what_a_connector_captures_is_what_its_configuration_lists(
    answer: Answer, tables: set[str]
) -> None:
    """As Connect has it, whoever set it."""
    client = Worker().say("GET /connectors/ajera/config", answer).client()
    assert client.captured("ajera") == tables
