"""How many messages each route is behind, as `ajera-cdc lag` tells it, asked every other second."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.config.load import load
from pipeline.config.settings import Settings
from pipeline.domain.routes import ROUTES
from pipeline.errors import PipelineError
from pipeline.operations.lag import lag
from pipeline.wiring.route import route_named, routes_of

SECONDS = 2.0


class Lags:
    """The newest answer for each route; None where Kafka did not answer, or not yet."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._found: dict[str, int | None] = {route.name: None for route in routes_of(settings)}
        self._over = threading.Event()

    def now(self) -> dict[str, int | None]:
        """By route."""
        return dict(self._found)

    def watch(self) -> None:
        """Ask until `stop`."""
        while not self._over.wait(SECONDS):
            for name in self._found:
                try:
                    self._found[name] = lag(self._settings, route_named(self._settings, name)).lag
                except PipelineError:
                    self._found[name] = None

    def stop(self) -> None:
        self._over.set()


@contextmanager
def watched(config: Path) -> Iterator[Lags]:
    """Watch the routes of this settings file from a thread of its own."""
    lags = Lags(load(config, os.environ, ROUTES))
    thread = threading.Thread(target=lags.watch, name="lags", daemon=True)
    thread.start()
    try:
        yield lags
    finally:
        lags.stop()
        thread.join()
