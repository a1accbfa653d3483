"""Drawing an answer again and again, until Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable

import click
from rich.console import Console
from rich.live import Live

from pipeline.cli.drawing import Drawn
from pipeline.errors import UsageError

SECONDS = 2.0


def watch(draw: Callable[[], Drawn], sleep: Callable[[float], None] = time.sleep) -> None:
    """Ctrl-C ends it quietly, and leaves the terminal as it was. Raises UsageError with --json."""
    if click.get_current_context().params.get("as_json"):
        raise UsageError("--watch draws for a person: call it again for each --json.")
    console = Console(markup=False, highlight=False)
    try:
        with Live(draw(), console=console, screen=console.is_terminal, auto_refresh=False) as live:
            while True:
                sleep(SECONDS)
                live.update(draw(), refresh=True)
    except KeyboardInterrupt:
        return
