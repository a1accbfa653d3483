"""What a consumer reports of itself in its route's state, every few seconds and at its end."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version

import structlog
from sqlalchemy import Engine

from pipeline.database.state.consumers import (
    ConsumerStatus,
    remove_consumer,
    store_consumer,
)
from pipeline.errors import PipelineError
from pipeline.telemetry.health import Health
from pipeline.wiring.identity import consumer_id
from pipeline.wiring.route import RouteHandle

REPORT_SECONDS = 2.0


@contextmanager
def present(route: RouteHandle, health: Health, address: str) -> Iterator[None]:
    """Report this consumer every few seconds, and remove it at an orderly end. A state that does
    not answer is no fault here: the consumer waits for it by itself.
    """
    presence = Presence(route, health, address)
    ended = threading.Event()
    thread = threading.Thread(
        target=presence.report_until, args=(ended,), name="presence", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Presence:
    """What one consumer reports, in a thread of its own: a long batch does not delay it."""

    def __init__(self, route: RouteHandle, health: Health, address: str) -> None:
        self._route = route
        self._health = health
        self._address = address
        self._started_at = datetime.now(UTC)
        self._is_away = False
        self._log = structlog.stdlib.get_logger("ajera_cdc")

    def report_until(self, ended: threading.Event) -> None:
        """Until it is set. Raises nothing: what fails is logged when it begins to."""
        engine = self._route.state.connect()
        try:
            while True:
                self._try(engine, is_leaving=False)
                if ended.wait(REPORT_SECONDS):
                    self._try(engine, is_leaving=True)
                    return
        finally:
            engine.dispose()

    def _try(self, engine: Engine, *, is_leaving: bool) -> None:
        schema = self._route.state.schema
        try:
            if is_leaving:
                remove_consumer(engine, schema, consumer_id(self._route.group))
            else:
                store_consumer(engine, schema, self._status())
        except PipelineError as error:
            if not self._is_away:
                self._log.warning(
                    "this consumer cannot be reported in the state",
                    code=error.code,
                    error=str(error),
                )
            self._is_away = True
        else:
            self._is_away = False

    def _status(self) -> ConsumerStatus:
        state, reasons = self._health.report()
        return ConsumerStatus(
            id=consumer_id(self._route.group),
            host=socket.gethostname()[:300],
            pid=os.getpid(),
            version=version("ajera-cdc")[:40],
            started_at=self._started_at,
            seen_at=datetime.now(UTC),
            state=state,
            reasons=reasons,
            address=self._address,
        )
