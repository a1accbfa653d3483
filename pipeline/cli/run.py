"""`ajera-cdc run`: one consumer, until it is asked to stop."""

from __future__ import annotations

import signal
import threading

import click

from pipeline.cli.output import Outcome, command
from pipeline.config import Settings
from pipeline.operations import run as operation


@command("run")
@click.option(
    "--route",
    type=click.Choice(["ajera-to-pim", "ajera-dps"]),
    default="ajera-to-pim",
    show_default=True,
    help="From Ajera to PIM, or, with [dps] in the settings, the exchange between Ajera and DPS.",
)
def run(settings: Settings, route: operation.Route) -> Outcome:
    """Run a consumer of a route, in the foreground.

    SIGTERM and Ctrl-C drain it: the batch in hand is written and its offsets are committed. Start more of them to
    share the partitions. Metrics, /health and /ready are served on `run.metrics_port`.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    operation.run(settings, stop.is_set, route)
    return Outcome({"group": operation.group_of(settings, route)}, "")
