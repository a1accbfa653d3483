"""The screen of `make run` in a terminal of 80 columns and 24 lines: what is wrong, rows, lag,
delay.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from deploy.demo.screen import Figures, Shown, seconds

STORY_LINES = 5
UNKNOWN = "?"


def draw(shown: Shown) -> RenderableType:
    """At most 80 columns and 22 lines."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("route")
    for heading in ("rows", "events", "parked", "lag", "delay p50", "p99"):
        table.add_column(heading, justify="right")
    table.add_row(
        "Ajera to PIM", *_figures(sum(shown.pim.values()), shown.to_pim, shown.lags.get("pim"))
    )
    table.add_row(
        "Ajera <-> DPS",
        *_figures(sum(shown.dps.values()), shown.exchange, shown.lags.get("dps")),
    )
    table.add_row(
        "Ajera to DPS, books",
        *_figures(sum(shown.accounts.values()), shown.accounting, shown.lags.get("accounting")),
    )
    return Group(
        Text(shown.state, style="bold"),
        *(Text(line, style="red", overflow="ellipsis", no_wrap=True) for line in _wrong(shown)),
        "",
        table,
        "",
        *(Text(line, overflow="ellipsis", no_wrap=True) for line in _lines(shown)),
    )


def _figures(rows: int, figures: Figures, lag: int | None) -> tuple[str, ...]:
    events = sum(figures.events.values())
    return (
        f"{rows:,}",
        f"{events:,}",
        f"{int(figures.parked):,}",
        UNKNOWN if lag is None else f"{lag:,}",
        *(f"{seconds(figures.delay(share))} s" for share in (0.5, 0.99)),
    )


def _wrong(shown: Shown) -> Iterator[str]:
    """The reasons of the consumers that are not well, worst first; the first three."""
    yield from list(shown.wrong)[:3]


def _lines(shown: Shown) -> Iterator[str]:
    edits = ", ".join(f"{count:,} in {name}" for name, count in shown.edits.items())
    yield f"edits: {edits}; pairs: {sum(shown.pairs.values()):,}"
    yield ", ".join(f"{name}: {count:,}" for name, count in shown.kept.items())
    yield from list(shown.story)[-STORY_LINES:]
    yield ""
    yield from shown.places
    yield "A wider terminal shows more. Ctrl-C ends it."
