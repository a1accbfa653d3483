"""The watcher of the connectors in a consumer: a thread of its own, so that it also looks after
capture while the consumer waits for its target.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from pipeline.config.settings import Settings
from pipeline.connect.watch import Reports, Watcher
from pipeline.wiring.clients import connect_client
from pipeline.wiring.route import RouteHandle
from pipeline.wiring.source import source_of

LEAVE_SECONDS = (
    2.0  # how long the end of a consumer waits for a request that Connect does not answer
)


@contextmanager
def watching(settings: Settings, route: RouteHandle, reports: Reports) -> Iterator[None]:
    """While this lasts, the connectors of the systems that the route reads are watched, if
    `connect.watch` says so.
    """
    if not settings.connect.watch:
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(
        target=_watch, args=(settings, route, reports, ended), name="connectors", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(LEAVE_SECONDS)


def _watch(
    settings: Settings, route: RouteHandle, reports: Reports, ended: threading.Event
) -> None:
    own = settings.connect
    with closing(connect_client(settings)) as client:
        watcher = Watcher(
            [source_of(settings, system).connector for system in route.systems],
            client,
            reports,
            own.restart_initial_seconds,
            own.restart_max_seconds,
            random.random,
        )
        while not ended.is_set():
            watcher.step(time.monotonic())
            ended.wait(own.watch_interval_seconds)
