"""The registry's answers, each in its one class: what is transient, what is lost,
and what is a fault of the settings.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from pipeline.errors import (
    ConfigurationInvalid,
    ContractBroken,
    CredentialsRefused,
    HostUnknown,
    PipelineError,
    RegistryUnavailable,
    SchemaUnknown,
    TlsRefused,
)
from pipeline.kafka.registry import Registry

SCHEMA = '{"type":"record","name":"R","fields":[]}'
Answer = tuple[int, Any]


class Quiet(WSGIRequestHandler):
    """Requests are not printed."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


class Service:
    """A registry over HTTP that gives the same answer to everything, and keeps what was asked."""

    def __init__(self) -> None:
        self.answer: Answer = (200, {"schema": SCHEMA})
        self.asked: list[tuple[str, str]] = []
        self.url = ""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.asked.append((environ["PATH_INFO"], environ.get("HTTP_AUTHORIZATION", "")))
        status, body = self.answer
        start_response(f"{status} Whatever", [("Content-Type", "application/json")])
        return [body.encode() if isinstance(body, str) else json.dumps(body).encode()]


@pytest.fixture
def service() -> Iterator[Service]:
    """The registry, on a free port."""
    found = Service()
    server = make_server("127.0.0.1", 0, found, handler_class=Quiet)
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def registry(url: str, **settings: str) -> Iterator[Registry]:
    found = Registry(
        url,
        {name.replace("_", "."): value for name, value in settings.items()},
    )
    try:
        yield found
    finally:
        found.close()


def refused(service: Service, answer: Answer) -> PipelineError:
    """What an answer is refused as."""
    service.answer = answer
    with (
        registry(service.url) as asked,
        pytest.raises(PipelineError) as caught,
    ):
        asked.writer_schema(7)
    assert "CANARY" not in caught.value.sentence
    return caught.value


def test_a_schema_is_asked_for_by_id_and_once(service: Service) -> None:
    """At the address of Confluent's API, with a path in front as Apicurio has."""
    with registry(f"{service.url}/apis/ccompat/v7") as asked:
        assert json.loads(asked.writer_schema(7)) == json.loads(SCHEMA)
        asked.writer_schema(7)
    assert [path for path, _ in service.asked] == ["/apis/ccompat/v7/schemas/ids/7"]


def test_an_id_that_the_registry_does_not_know_is_asked_for_again(
    service: Service,
) -> None:
    """It may have been restarted, or be behind: the engine waits."""
    service.answer = (
        404,
        {"error_code": 40403, "message": "Schema 7 not found"},
    )
    with registry(service.url) as asked:
        for _ in range(2):
            with pytest.raises(SchemaUnknown, match="no schema with id 7"):
                asked.writer_schema(7)
        service.answer = (200, {"schema": SCHEMA})
        assert asked.writer_schema(7)
    assert len(service.asked) == 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            (404, {"error_code": 404, "message": "CANARY"}),
            r"not an API root",
        ),
        ((404, "<html>CANARY</html>"), ""),
        ((500, {"error_code": 50001, "message": "CANARY"}), "HTTP 500"),
        ((503, "CANARY"), ""),
        ((200, "CANARY"), ""),
        ((200, "{}"), ""),
        ((200, "[]"), ""),
        ((200, '{"schema": ""}'), ""),
    ],
    ids=str,
)
def test_whatever_is_not_an_answer_of_a_registry_is_transient(
    service: Service, answer: Answer, words: str
) -> None:
    """Down, a proxy's page, a wrong address: messages wait, none is set aside."""
    error = refused(service, answer)
    assert isinstance(error, RegistryUnavailable)
    assert words in str(error)


@pytest.mark.parametrize("status", [401, 403])
def test_credentials_that_the_registry_refuses_have_a_code_of_their_own(
    service: Service, status: int
) -> None:
    """With its address: they are not waited for without end."""
    error = refused(service, (status, {"error_code": status, "message": "CANARY"}))
    assert type(error) is CredentialsRefused
    assert service.url in str(error)


@pytest.mark.parametrize(
    ("url", "fault", "words"),
    [
        ("http://127.0.0.1:9", RegistryUnavailable, "nothing listens there"),
        ("http://no-such-host.invalid:8081", HostUnknown, "no host of that name"),
    ],
)
def test_a_registry_that_is_not_there_is_named_with_the_reason(
    url: str, fault: type[PipelineError], words: str
) -> None:
    """Down, or a name that nobody knows."""
    with registry(url) as asked, pytest.raises(PipelineError, match=words) as caught:
        asked.writer_schema(7)
    assert type(caught.value) is fault
    assert url in str(caught.value)


def test_a_registry_without_encryption_is_told_from_one_that_is_down(service: Service) -> None:
    """https in the settings, http there."""
    url = service.url.replace("http://", "https://")
    with registry(url) as asked, pytest.raises(TlsRefused, match="do not agree on encryption"):
        asked.writer_schema(7)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"schema": "{}", "schemaType": "JSON"}, "is JSON, not AVRO"),
        (
            {"schema": "message X {}", "schemaType": "PROTOBUF"},
            "is PROTOBUF, not AVRO",
        ),
        (
            {
                "schema": SCHEMA,
                "references": [{"name": "x", "subject": "s", "version": 1}],
            },
            "refers to other schemas",
        ),
    ],
)
def test_a_schema_of_another_kind_breaks_the_contract(
    service: Service, body: dict[str, Any], words: str
) -> None:
    """Waiting would not change it."""
    error = refused(service, (200, body))
    assert isinstance(error, ContractBroken)
    assert words in str(error)


def test_a_registry_that_is_away_is_transient() -> None:
    """Nothing listens at this port."""
    with (
        registry("http://127.0.0.1:9", timeout="1") as asked,
        pytest.raises(RegistryUnavailable, match="schema 7"),
    ):
        asked.writer_schema(7)


def test_credentials_go_with_each_request(service: Service) -> None:
    """By the client's own names of settings."""
    with registry(service.url, basic_auth_user_info="u:p") as asked:
        asked.writer_schema(7)
    assert service.asked[0][1] == "Basic dTpw"


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("", {}),
        ("CANARY", {}),
        ("http://u:CANARY@h", {"basic.auth.user.info": "u:CANARY"}),
        ("http://h", {"timeout": "CANARY"}),
        ("http://h", {"max.retries": "CANARY"}),
        ("http://h", {"basic.auth.user.info": "CANARY"}),
        ("http://h", {"nonsense": "CANARY"}),
        ("http://h", {"ssl.ca.location": "/CANARY"}),
    ],
    ids=str,
)
def test_settings_that_the_client_does_not_take_are_a_fault_of_the_configuration(
    url: str, settings: dict[str, str]
) -> None:
    """At start-up, without what they hold."""
    with pytest.raises(ConfigurationInvalid, match="registry settings: ") as caught:
        Registry(url, settings)
    assert "CANARY" not in str(caught.value)
