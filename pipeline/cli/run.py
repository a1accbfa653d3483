"""`ajera-cdc run`: one consumer, until it is asked to stop."""

from __future__ import annotations

import signal
import threading

from pipeline.cli.output import Outcome, command
from pipeline.config import Settings
from pipeline.operations import run as operation


@command("run")
def run(settings: Settings) -> Outcome:
    """Run a consumer of the route, in the foreground.

    SIGTERM and Ctrl-C drain it: the batch in hand is written and its offsets are committed. Start more of them to
    share the partitions. Metrics, /health and /ready are served on `run.metrics_port`.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    operation.run(settings, stop.is_set)
    return Outcome({"group": settings.kafka.group}, "")
