"""A stand-in before the schema registry: passes on, or answers as a sick one does."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

TIMEOUT_SECONDS, SLOW_SECONDS = (
    1.0,
    2.0,
)  # how long the consumers are told to wait, and what is too long


class Illness(Enum):
    """How it answers."""

    NONE = "none"
    ERROR = "HTTP 500"
    UNKNOWN = "HTTP 404, as a registry says it"
    NOT_FOUND = "HTTP 404, as a web server says it"
    SLOW = "slow"
    GARBAGE = "garbage"


class SickRegistry:
    """Listens on a free port of its own, unless one is given. Start it as a context."""

    def __init__(self, url: str, port: int = 0) -> None:
        self.illness = Illness.NONE
        self.answered = 0
        sick = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sick.answered += 1
                code, body = sick.answer(url, self.path)
                with suppress(ConnectionError):  # who asked did not want to wait
                    self.send_response(code)
                    self.send_header(
                        "Content-Type",
                        "application/vnd.schemaregistry.v1+json",
                    )
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> SickRegistry:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def answer(self, url: str, path: str) -> tuple[int, bytes]:
        """Status and body, by the illness of the moment."""
        match self.illness:
            case Illness.ERROR:
                return 500, b'{"error_code":50001,"message":"broken"}'
            case Illness.UNKNOWN:
                return (
                    404,
                    b'{"error_code":40403,"message":"Schema not found"}',
                )
            case Illness.NOT_FOUND:
                return 404, b"<html>not here</html>"
            case Illness.GARBAGE:
                return 200, b"\xff\xfe not json"
            case Illness.SLOW:
                time.sleep(SLOW_SECONDS)
            case Illness.NONE:
                pass
        found = httpx.get(f"{url}{path}", timeout=10)
        return found.status_code, found.content
