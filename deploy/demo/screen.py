"""What a person sees while the sample firm lives: rows per entity, outcomes, delay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import httpx
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text


@dataclass
class Figures:
    """Sums over all consumers, as their metrics tell them."""

    events: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    delay_buckets: Counter[float] = field(default_factory=Counter)
    parked: float = 0.0
    consumers: int = 0

    def delay(self, share: float) -> float | None:
        """The delay in seconds that `share` of the streamed events stayed below, interpolated within its bucket."""
        total = self.delay_buckets.get(float("inf"), 0)
        if not total:
            return None
        below, floor = 0.0, 0.0
        for edge in sorted(self.delay_buckets):
            count = self.delay_buckets[edge]
            if count >= share * total:
                if edge == float("inf"):
                    return floor
                inside = (share * total - below) / (count - below) if count > below else 1.0
                return floor + (edge - floor) * inside
            below, floor = count, edge
        return floor


def read(addresses: Iterable[str]) -> Figures:
    """Figures of the consumers that answer; one that does not (starting, stopping) is left out of `consumers`."""
    figures = Figures()
    for address in addresses:
        try:
            text = httpx.get(f"{address}/metrics", timeout=2.0).text
        except httpx.HTTPError:
            continue
        figures.consumers += 1
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                _add(figures, sample.name, sample.labels, sample.value)
    return figures


def _add(figures: Figures, name: str, labels: Mapping[str, str], value: float) -> None:
    match name:
        case "pipeline_events_total":
            reason = labels.get("reason")
            figures.events[f"{labels['outcome']} ({reason})" if reason else labels["outcome"]] += int(value)
        case "pipeline_target_rows_total":
            figures.rows[labels["result"]] += int(value)
        case "pipeline_delay_seconds_bucket":
            figures.delay_buckets[float(labels["le"].replace("+Inf", "inf"))] += int(value)
        case _:
            return  # the screen shows a choice of the metrics


def draw(figures: Figures, entities: Mapping[str, int], edits: Counter[str], state: str) -> RenderableType:
    """The live table."""
    left = Table(title="PIM", title_justify="left")
    left.add_column("table")
    left.add_column("rows", justify="right")
    for table, count in entities.items():
        left.add_row(table, f"{count:,}")
    middle = Table(title="events, by outcome", title_justify="left")
    middle.add_column("outcome")
    middle.add_column("events", justify="right")
    for outcome, count in sorted(figures.events.items()):
        middle.add_row(outcome, f"{count:,}")
    right = Table(title="Ajera commit to PIM commit", title_justify="left")
    right.add_column("delay")
    right.add_column("seconds", justify="right")
    for label, share in (("p50", 0.5), ("p99", 0.99)):
        delay = figures.delay(share)
        right.add_row(label, "-" if delay is None else f"{delay:.2f}")
    right.add_row("PIM rows created", f"{figures.rows['created']:,}")
    right.add_row("PIM rows changed", f"{figures.rows['changed']:,}")
    right.add_row("edits committed", f"{edits.total():,}")
    side_by_side = Table.grid(padding=(0, 3))
    side_by_side.add_row(left, middle, right)
    return Group(Text(state, style="bold"), side_by_side)
