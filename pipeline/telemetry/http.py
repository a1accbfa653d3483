"""Metrics, health and readiness of a consumer over HTTP."""

from __future__ import annotations

import errno
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import (
    WSGIRequestHandler,
    WSGIServer,
    make_server,
)

from prometheus_client import CollectorRegistry, make_wsgi_app

from pipeline.errors import ConfigurationInvalid
from pipeline.telemetry.health import Health

DEFAULT_PORT = 9464
PORTS = range(DEFAULT_PORT, DEFAULT_PORT + 100)  # so many consumers on a host find one
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    """Requests are not logged: a probe every few seconds would hide other entries."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        return


class TelemetryServer:
    """GET /metrics (Prometheus text), /health (503 when halted),
    /ready (503 until the consumer takes part in its group).
    """

    def __init__(
        self,
        host: str,
        port: int | None,
        registry: CollectorRegistry,
        health: Health,
        figures: Callable[[], Mapping[str, object]] = dict,
    ) -> None:
        """`figures`: what `/health` shows beside the state. `port` None: DEFAULT_PORT, or the next
        one that is free. Raises ConfigurationInvalid when the address cannot be served.
        """
        self._health = health
        self._figures = figures
        self._metrics = make_wsgi_app(registry)
        self._server = self._bind(host, port)
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="telemetry", daemon=True
        )

    def _bind(self, host: str, port: int | None) -> WSGIServer:
        ports = PORTS if port is None else (port,)
        for each in ports:
            try:
                return make_server(
                    host,
                    each,
                    self._answer,
                    server_class=_Server,
                    handler_class=_Quiet,
                )
            except OSError as error:
                if error.errno == errno.EADDRINUSE and each != ports[-1]:
                    continue
                raise ConfigurationInvalid(
                    f"run.metrics_host, run.metrics_port: {host}:{each} cannot be served "
                    f"({error.strerror}); 0 takes any free port."
                ) from None
        raise AssertionError("there is a port to try")

    @property
    def address(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Free the address, whether or not it was served."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        match environ.get("PATH_INFO"):
            case "/metrics":
                found: Iterable[bytes] = self._metrics(environ, start_response)
                return found
            case "/health":
                state, reasons = self._health.report()
                return _json(
                    start_response,
                    state != "halted",
                    {"state": state, "reasons": reasons, **self._figures()},
                )
            case "/ready":
                return _json(
                    start_response,
                    self._health.ready,
                    {"ready": self._health.ready},
                )
            case _:
                start_response("404 Not Found", [("Content-Type", "text/plain")])
                return [b"There is /metrics, /health and /ready.\n"]


def _json(start_response: StartResponse, good: bool, body: object) -> list[bytes]:  # noqa: FBT001
    status = "200 OK" if good else "503 Service Unavailable"
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(body).encode()]
