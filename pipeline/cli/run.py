"""`ajera-cdc run`: one consumer, until it is asked to stop."""

from __future__ import annotations

import signal
import threading

from pipeline.cli.choices import route_option
from pipeline.cli.command import command
from pipeline.cli.output import Outcome
from pipeline.config.settings import Settings
from pipeline.model.audit import Changes


@command("run", changes=Changes.BY_EVENTS)
@route_option
def run(settings: Settings, route: str | None) -> Outcome:
    """Run a consumer of a route, in the foreground.

    SIGTERM and Ctrl-C drain it: the batch that was read is written and its offsets are committed.
    Start more of them to share the partitions. Metrics,
    /health and /ready are served on `run.metrics_port`.
    """
    from pipeline.operations import run as operation
    from pipeline.wiring.route import route_named

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    chosen = route_named(settings, route)
    operation.run(settings, stop.is_set, chosen)
    return Outcome({"route": chosen.name, "group": chosen.group}, "")
