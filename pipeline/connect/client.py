"""Kafka Connect's REST interface: apply, watch and remove connectors.

A configuration is validated by the connector itself before it is stored,
so its errors are reported at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx

from pipeline.connect.explain import explain
from pipeline.connect.status import (
    ABSENT,
    STOPPED,
    ConnectorStatus,
    TaskStatus,
)
from pipeline.errors import (
    ConfigurationInvalid,
    ConnectorFailed,
    ServiceUnreachable,
)

POLL_SECONDS: Final = 0.25
TABLES: Final = "table.include.list"
Report = Callable[[str], None]


class ConnectClient:
    """Every method raises ServiceUnreachable when Connect does not answer,
    ConnectorFailed when it refuses.

    `timeout_seconds` bounds one request; validating a configuration includes connecting to the
    source. `auth` is user and password, `verify` httpx's (False, or an SSL context). `transport`
    replaces the network in tests.
    The constructor raises ConfigurationInvalid for an address that is none.
    """

    def __init__(
        self,
        url: str,
        timeout_seconds: float = 60.0,
        *,
        auth: tuple[str, str] | None = None,
        verify: Any = True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        try:
            self._http = httpx.Client(
                base_url=url.rstrip("/"),
                timeout=timeout_seconds,
                auth=auth,
                verify=verify,
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
        tasks = (
            TaskStatus(task["id"], task["state"], _explained(task)) for task in answer["tasks"]
        )
        connector = answer["connector"]
        return ConnectorStatus(name, connector["state"], tuple(tasks), _explained(connector))

    def wait_until_running(
        self, name: str, timeout_seconds: float, report: Report
    ) -> ConnectorStatus:
        """Wait until the connector and its tasks run; `report` is called with each change of state.

        Raises ConnectorFailed when it fails, or does not run in time.
        """
        status = self._wait(
            name,
            timeout_seconds,
            report,
            lambda now: now.is_running or bool(now.failure),
        )
        if status.failure:
            raise ConnectorFailed(f"{status.sentence}: {status.failure}")
        if not status.is_running:
            raise ConnectorFailed(f"{status.sentence} after {timeout_seconds:.0f} seconds.")
        return status

    def remove(self, name: str) -> bool:
        """Stop the connector, then delete its offsets and itself; False if there is none.

        Its replication slot, publication and topics stay.
        Raises ConnectorFailed when it does not stop.
        """
        if self.status(name).state == ABSENT and name not in self.connectors():
            return False
        self._ask("PUT", _path(name, "stop"))
        status = self._wait(name, self._timeout_seconds, lambda _: None, _is_stopped)
        if not _is_stopped(status):
            raise ConnectorFailed(f"{status.sentence}: it does not stop.")
        self._ask("DELETE", _path(name, "offsets"))
        self._ask("DELETE", _path(name))
        return True

    def has_offsets(self, name: str) -> bool:
        """Has the connector stored how far it read: if not, it starts with a snapshot."""
        answer = self._ask("GET", _path(name, "offsets"), absent_is_fine=True)
        return answer is not None and bool(answer.get("offsets"))

    def captured(self, name: str) -> frozenset[str]:
        """The patterns of the tables that the connector captures; none if there is no connector."""
        config = self._ask("GET", _path(name, "config"), absent_is_fine=True) or {}
        return frozenset(config.get(TABLES, "").split(",")) - {""}

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

    def _wait(
        self,
        name: str,
        timeout_seconds: float,
        report: Report,
        is_ended: Callable[[ConnectorStatus], bool],
    ) -> ConnectorStatus:
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
            raise _refusal(method, path, response)
        return _answer(method, path, response)

    def _send(self, method: str, path: str, body: Mapping[str, str] | None) -> httpx.Response:
        try:
            return self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise ServiceUnreachable(
                f"Kafka Connect, {method} {path}: {type(error).__name__}."
            ) from error


def _answer(method: str, path: str, response: httpx.Response) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError as error:
        where = f"Kafka Connect, {method} {path}: HTTP {response.status_code}"
        raise ServiceUnreachable(
            f"{where}, not an answer of Kafka Connect: check `connect.url`."
        ) from error


def _refusal(
    method: str, path: str, response: httpx.Response
) -> ConnectorFailed | ServiceUnreachable:
    where = f"Kafka Connect, {method} {path}: HTTP {response.status_code}"
    if response.status_code in (
        httpx.codes.UNAUTHORIZED,
        httpx.codes.FORBIDDEN,
    ):
        return ServiceUnreachable(f"{where}: the credentials are refused.")
    try:
        message = explain(str(response.json()["message"]))
    except (ValueError, KeyError, TypeError):
        return ServiceUnreachable(f"{where}, not an answer of Kafka Connect: check `connect.url`.")
    if response.status_code in (
        httpx.codes.BAD_GATEWAY,
        httpx.codes.SERVICE_UNAVAILABLE,
        httpx.codes.GATEWAY_TIMEOUT,
    ):
        return ServiceUnreachable(f"{where}: {message}")
    return ConnectorFailed(f"{where}: {message}")


def _explained(part: Mapping[str, Any]) -> str:
    trace = part.get("trace")
    return explain(trace) if trace else ""


def _is_stopped(status: ConnectorStatus) -> bool:
    return status.state == STOPPED and not status.tasks


def _path(name: str, *parts: str) -> str:
    return "/".join(["/connectors", quote(name, safe=""), *parts])
