"""What a person sees while the sample firm lives: rows of each system, links, outcomes, delay;
and the collisions' story.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import httpx
import psycopg
from prometheus_client.parser import text_string_to_metric_families
from psycopg import sql
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from deploy.demo.consumers import ask
from deploy.sample.dps import DPS_CAPTURED
from deploy.sample.naming import Naming

OUTCOMES_SHOWN = 8
KEPT = {
    "conflicts logged": "conflict",
    "parked": "parked",
    "pairs with parked lines": "link WHERE parked_lines <> '' AND state <> 'ended'",
    "pairs ended": "link WHERE state = 'ended'",
}


@dataclass
class Figures:
    """Sums over all consumers, as their metrics tell them."""

    events: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    delay_buckets: Counter[float] = field(default_factory=Counter)
    parked: float = 0.0
    consumers: int = 0

    def since(self, before: Counter[float] | None) -> Figures:
        """The same figures, delays only of events after those of `before`."""
        if before is None:
            return self
        buckets = Counter(
            {edge: count - before[edge] for edge, count in self.delay_buckets.items()}
        )
        return replace(self, delay_buckets=buckets)

    def delay(self, share: float) -> float | None:
        """The delay in seconds that `share` of the streamed events stayed below,
        interpolated within its bucket.
        """
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
    """Figures of the consumers that answer; one that does not (starting,
    stopping) is left out of `consumers`.
    """
    figures = Figures()
    for address in addresses:
        try:
            text = ask(f"{address}/metrics").text
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
            figures.events[f"{labels['outcome']} ({reason})" if reason else labels["outcome"]] += (
                int(value)
            )
        case "pipeline_target_rows_total":
            figures.rows[labels["result"]] += int(value)
        case "pipeline_parked_rows":
            figures.parked = max(figures.parked, value)  # each consumer tells it of all
        case "pipeline_delay_seconds_bucket":
            figures.delay_buckets[float(labels["le"].replace("+Inf", "inf"))] += int(value)
        case _:
            return  # the screen shows a choice of the metrics


@dataclass
class Shown:
    """Everything on the screen."""

    state: str
    pim: Mapping[str, int]
    dps: Mapping[str, int]
    pairs: Mapping[str, int]
    kept: Mapping[str, int]
    accounts: Mapping[str, int]
    to_pim: Figures
    exchange: Figures
    accounting: Figures
    edits: Mapping[str, int]
    story: Sequence[str] = ()
    lags: Mapping[str, int | None] = field(default_factory=dict)  # by route; None: unknown
    wrong: Sequence[str] = ()  # what consumers wait for, in their words
    places: Sequence[str] = ()  # where settings, logs and metrics are


def rows(dps: psycopg.Connection, naming: Naming) -> dict[str, int]:
    """Rows of DPS's tables."""
    return {
        table: _count(dps, naming.sql(f"SELECT count(*) FROM {{{table}}}"))
        for table in DPS_CAPTURED
    }


def pairs(dps: psycopg.Connection) -> dict[str, int]:
    """Linked pairs by entity."""
    found = dps.execute(
        "SELECT entity, count(*) FROM sync.link WHERE state <> 'ended' GROUP BY entity"
        " ORDER BY entity"
    )
    return {str(entity): int(count) for entity, count in found}


def kept(dps: psycopg.Connection) -> dict[str, int]:
    """What else the exchange keeps."""
    return {name: _count(dps, f"SELECT count(*) FROM sync.{where}") for name, where in KEPT.items()}


def accounts(dps: psycopg.Connection, naming: Naming) -> dict[str, int]:
    """What DPS shows of Ajera's books."""
    projects = naming.sql("SELECT count({PR.AjeraSpentLabor}) FROM {PR}")
    team = naming.sql("SELECT count({EMProjectAssoc.Hours}) FROM {EMProjectAssoc}")
    return {"projects": _count(dps, projects), "team rows": _count(dps, team)}


def _count(connection: psycopg.Connection, text: str) -> int:
    row = connection.execute(
        sql.SQL(text)
    ).fetchone()  # built from our own names, never from values
    return 0 if row is None else int(row[0])


def draw(shown: Shown) -> RenderableType:
    """The live table: each route on a row of its own."""
    above, below = Table.grid(padding=(0, 3)), Table.grid(padding=(0, 3))
    above.add_row(
        _counts("PIM", "table", "rows", shown.pim),
        _counts(
            "Ajera to PIM: events, by outcome",
            "outcome",
            "events",
            dict(sorted(shown.to_pim.events.items())),
        ),
        _delays(
            "Ajera commit to PIM commit",
            shown.to_pim,
            {f"edits in {name}": n for name, n in shown.edits.items()},
        ),
    )
    below.add_row(
        _counts("DPS", "table", "rows", shown.dps),
        _counts("Ajera <-> DPS: pairs", "entity", "pairs", shown.pairs),
        _counts(
            "events, by outcome",
            "outcome",
            "events",
            _grouped(shown.exchange.events),
        ),
    )
    kept = (
        *_sentences("Ajera <-> DPS, commit to commit", shown.exchange, shown.kept),
        *_sentences("Ajera to DPS, accounting", shown.accounting, _of_books(shown)),
    )
    return Group(
        Text(shown.state, style="bold"),
        above,
        below,
        *(Text(line, style="red") for line in shown.wrong),
        *map(Text, (*kept, *shown.story, *shown.places)),
    )


def _of_books(shown: Shown) -> dict[str, int]:
    figures = shown.accounting
    return {**shown.accounts, "events": figures.events.total(), "parked": int(figures.parked)}


def _grouped(events: Counter[str]) -> dict[str, int]:
    """The most frequent ones, and the rest."""
    most = events.most_common(OUTCOMES_SHOWN)
    rest = events.total() - sum(count for _, count in most)
    return dict(sorted(most)) | ({"others": rest} if rest else {})


def _counts(title: str, name: str, number: str, counts: Mapping[str, int]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(name)
    table.add_column(number, justify="right")
    for one, count in counts.items():
        table.add_row(one, f"{count:,}")
    return table


def _sentences(title: str, figures: Figures, others: Mapping[str, int]) -> tuple[str, str]:
    """Delays and counts in two lines:
    a fourth table beside the others would not fit into 100 columns.
    """
    p50, p99 = (seconds(figures.delay(share)) for share in (0.5, 0.99))
    rows = f"rows created {figures.rows['created']:,}, changed {figures.rows['changed']:,}"
    return f"{title}: p50 {p50} s, p99 {p99} s; {rows}", "; ".join(
        f"{name} {n:,}" for name, n in others.items()
    )


def seconds(delay: float | None) -> str:
    return "-" if delay is None else f"{delay:.2f}"


def _delays(title: str, figures: Figures, others: Mapping[str, int]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("delay")
    table.add_column("seconds", justify="right")
    for label, share in (("p50", 0.5), ("p99", 0.99)):
        table.add_row(label, seconds(figures.delay(share)))
    table.add_row("rows created", f"{figures.rows['created']:,}")
    table.add_row("rows changed", f"{figures.rows['changed']:,}")
    for name, count in others.items():
        table.add_row(name, f"{count:,}")
    return table
