"""Kafka Connect's REST interface: apply, watch and remove connectors.

A configuration is validated by the connector itself before it is stored,
so its errors are reported at once.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx

from pipeline.connect.answers import json_of, refusal
from pipeline.connect.explain import explain, recovery_of, root_line
from pipeline.connect.status import (
    ABSENT,
    FAILED,
    ConnectorStatus,
    TaskStatus,
)
from pipeline.errors import (
    ConfigurationInvalid,
    ConnectorFailed,
    ServiceUnreachable,
)
from pipeline.network import no_answer

POLL_SECONDS: Final = 0.25
CONNECT_SECONDS: Final = 4.0  # until a connection is taken; a request may take longer
# How long Connect may show the state from before a restart: its workers share a topic.
SETTLE_SECONDS: Final = 10.0
TABLES: Final = "table.include.list"
Report = Callable[[str], None]


class ConnectClient:
    """Every method raises ServiceUnreachable when Connect does not answer,
    ConnectorFailed when it refuses.

    `timeout_seconds` bounds one request; validating a configuration includes connecting to the
    source. `auth` is user and password. `transport` replaces the network in tests.
    The constructor raises ConfigurationInvalid for an address that is none.
    """

    def __init__(
        self,
        url: str,
        timeout_seconds: float = 60.0,
        *,
        auth: tuple[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        try:
            self._http = httpx.Client(
                base_url=url.rstrip("/"),
                timeout=httpx.Timeout(timeout_seconds, connect=CONNECT_SECONDS),
                auth=auth,
                verify=_trust(url),
                transport=transport,
            )
        except httpx.InvalidURL as error:
            raise ConfigurationInvalid(
                "connect.url: is not an address (http://host:port)."
            ) from error

    def apply(self, name: str, config: Mapping[str, str]) -> None:
        """Validate a connector's configuration, then create the connector or change it.

        Raises ConnectorFailed naming every setting that the connector does not accept.
        """
        self.validate(name, config)
        self._ask("PUT", _path(name, "config"), dict(config))

    def validate(self, name: str, config: Mapping[str, str]) -> None:
        """Let the connector validate a configuration, connecting to its database.
        Raises ConnectorFailed with all faults.
        """
        plugin = config.get("connector.class", "")
        path = f"/connector-plugins/{quote(plugin, safe='')}/config/validate"
        answer = self._ask("PUT", path, {**config, "name": name})
        judged = [
            setting["value"]
            for setting in answer.get("configs", [])
            if setting.get("value") is not None
        ]
        faults = [
            f"{value['name']}: {error}" for value in judged for error in value.get("errors") or []
        ]
        if faults:
            raise ConnectorFailed(
                f"Connect refuses the configuration of {name}: {'; '.join(sorted(set(faults)))}"
            )

    def status(self, name: str) -> ConnectorStatus:
        """State of the connector and its tasks."""
        answer = self._ask("GET", _path(name, "status"), absent_is_fine=True)
        if answer is None:
            return ConnectorStatus(name, ABSENT)
        return _connector(name, answer)

    def wait_until_running(
        self, name: str, timeout_seconds: float, report: Report
    ) -> ConnectorStatus:
        """Wait until the connector and its tasks run; `report` is called with each change of state.

        Raises ConnectorFailed when it fails, or does not run in time.
        """
        return _running(
            self.wait_until(
                name, timeout_seconds, report, lambda now: now.is_running or now.is_failed
            ),
            timeout_seconds,
        )

    def wait_until_restarted(
        self, name: str, timeout_seconds: float, report: Report, *, was_running: bool = False
    ) -> ConnectorStatus:
        """As `wait_until_running`, after a restart: the state from before (a failure, or running)
        is still shown for a moment, and counts only if it stays.
        """
        settled = time.monotonic() + SETTLE_SECONDS
        has_begun = False

        def is_ended(now: ConnectorStatus) -> bool:
            nonlocal has_begun
            is_as_before = now.is_running if was_running else now.is_failed
            has_begun = has_begun or not is_as_before
            is_settled = has_begun or time.monotonic() >= settled
            return (now.is_running or now.is_failed) and (is_settled or not is_as_before)

        return _running(self.wait_until(name, timeout_seconds, report, is_ended), timeout_seconds)

    def restart(self, name: str, *, only_failed: bool = True) -> None:
        """Let the connector start again if it failed, and each of its tasks that failed; or all."""
        failed = str(only_failed).lower()
        self._ask("POST", f"{_path(name, 'restart')}?includeTasks=true&onlyFailed={failed}")

    def pause(self, name: str) -> None:
        """Let its tasks read no more; they keep their connections."""
        self._ask("PUT", _path(name, "pause"))

    def resume(self, name: str) -> None:
        """Let it read on, after `pause` or `stop`."""
        self._ask("PUT", _path(name, "resume"))

    def stop(self, name: str) -> None:
        """End its tasks; configuration and offsets stay."""
        self._ask("PUT", _path(name, "stop"))

    def remove(self, name: str) -> bool:
        """Stop the connector, then delete its offsets and itself; False if there is none.

        Its replication slot, publication and topics stay.
        Raises ConnectorFailed when it does not stop.
        """
        if self.status(name).state == ABSENT and name not in self.connectors():
            return False
        self.stop(name)
        status = self.wait_until(
            name, self._timeout_seconds, lambda _: None, lambda now: now.is_stopped
        )
        if not status.is_stopped:
            raise ConnectorFailed(f"{status.sentence}: it does not stop.")
        self._ask("DELETE", _path(name, "offsets"))
        self._ask("DELETE", _path(name))
        return True

    def has_offsets(self, name: str) -> bool:
        """Has the connector stored how far it read: if not, it starts with a snapshot."""
        return bool(self._offsets(name))

    def is_in_snapshot(self, name: str) -> bool:
        """Is its first snapshot not over, as far as its stored offsets say."""
        offsets = self._offsets(name)
        return not offsets or any(one.get("snapshot_completed") is False for one in offsets)

    def _offsets(self, name: str) -> list[Mapping[str, Any]]:
        answer = self._ask("GET", _path(name, "offsets"), absent_is_fine=True) or {}
        return [one.get("offset") or {} for one in answer.get("offsets") or []]

    def config(self, name: str) -> dict[str, str] | None:
        """The configuration that the connector has; None if there is no connector."""
        found: dict[str, str] | None = self._ask("GET", _path(name, "config"), absent_is_fine=True)
        return found

    def captured(self, name: str) -> frozenset[str]:
        """The patterns of the tables that the connector captures; none if there is no connector."""
        return frozenset((self.config(name) or {}).get(TABLES, "").split(",")) - {""}

    def connectors(self) -> list[str]:
        """The names of all connectors."""
        return sorted(self._ask("GET", "/connectors"))

    def plugins(self) -> dict[str, str]:
        """The connector classes in Connect's plugin folder, with their versions."""
        return {
            plugin["class"]: plugin.get("version") or ""
            for plugin in self._ask("GET", "/connector-plugins")
        }

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def wait_until(
        self,
        name: str,
        timeout_seconds: float,
        report: Report,
        is_ended: Callable[[ConnectorStatus], bool],
    ) -> ConnectorStatus:
        """Wait until `is_ended` or the time is over, and return the last state;
        `report` is called with each change of it.
        """
        deadline = time.monotonic() + timeout_seconds
        told = ""
        while True:
            status = self.status(name)
            if status.sentence != told:
                told = status.sentence
                report(told)
            if is_ended(status) or time.monotonic() >= deadline:
                return status
            time.sleep(POLL_SECONDS)

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, str] | None = None,
        *,
        absent_is_fine: bool = False,
    ) -> Any:
        """The answer's JSON; None for an empty one. Retries while the worker rebalances (409)."""
        deadline = time.monotonic() + self._timeout_seconds
        while True:
            response = self._send(method, path, body)
            if response.status_code != httpx.codes.CONFLICT or time.monotonic() >= deadline:
                break
            time.sleep(POLL_SECONDS)
        if absent_is_fine and response.status_code == httpx.codes.NOT_FOUND:
            return None
        if response.is_error:
            raise refusal(method, path, response)
        return json_of(method, path, response)

    def _send(self, method: str, path: str, body: Mapping[str, str] | None) -> httpx.Response:
        try:
            return self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            doing = f"Kafka Connect at {self._url}, {method} {path}"
            raise no_answer(doing, error, ServiceUnreachable) from error


def _trust(url: str) -> ssl.SSLContext | bool:
    """Whom we trust: for an address without encryption nobody, because reading the list of those
    who are trusted takes as long as importing httpx.
    """
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if url.startswith("http://") else True


def _running(status: ConnectorStatus, timeout_seconds: float) -> ConnectorStatus:
    if status.is_failed:
        raise ConnectorFailed(f"{status.sentence}: {status.failure}")
    if not status.is_running:
        raise ConnectorFailed(f"{status.sentence} after {timeout_seconds:.0f} seconds.")
    return status


def _connector(name: str, answer: Mapping[str, Any]) -> ConnectorStatus:
    own = _task({"id": 0, **answer["connector"]})
    return ConnectorStatus(
        name,
        own.state,
        tuple(_task(task) for task in answer["tasks"]),
        own.explanation,
        own.worker,
        own.cause,
        own.recovery,
    )


def _task(told: Mapping[str, Any]) -> TaskStatus:
    """State and worker, and of a failure what it means; a failure without a trace is one, too."""
    number, state, worker = told["id"], told["state"], told.get("worker_id") or ""
    trace = told.get("trace") or ""
    if not trace and state != FAILED:
        return TaskStatus(number, state, worker=worker)
    cause = root_line(trace) if trace else ""
    return TaskStatus(number, state, explain(trace), worker, cause, recovery_of(trace))


def _path(name: str, *parts: str) -> str:
    return "/".join(["/connectors", quote(name, safe=""), *parts])
