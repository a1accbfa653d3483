"""What was measured, as one table: on a terminal, as plain columns for a file, and as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from tests.bench.machine import Machine
from tests.bench.measuring import Result

WIDTH, LEAST_WIDTH = 150, 140  # of what is written into a file; of a table with whole figures
UNKNOWN = "-"
HEADS = (
    *("what", "who", "events", "events/s", "lowest, highest", "ratio", "µs client + db"),
    *("WAL", "MB", "p50, p99, max ms"),
)


@dataclass(frozen=True, slots=True)
class Delays:
    """Milliseconds: median, 99th percentile, longest."""

    p50: float
    p99: float
    longest: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Delays:
        """Of two at least."""
        in_ms = [one * 1000 for one in seconds]
        return cls(
            statistics.median(in_ms),
            statistics.quantiles(in_ms, n=100, method="inclusive")[98],
            max(in_ms),
        )


@dataclass(frozen=True)
class Line:
    """Of one contender: the results of its rounds, and in each round the ratio of its rate to that
    of whom it is compared with. What was not measured is empty.
    """

    what: str
    who: str
    events: int
    results: Sequence[Result] = ()
    ratios: Sequence[float] = ()
    delays: Delays | None = None
    remarks: Sequence[str] = field(default_factory=list)

    def cells(self) -> list[str]:
        """Medians, and of memory the largest."""
        rates = [one.rate for one in self.results]
        client = _middle([one.client for one in self.results])
        server = _middle([one.server for one in self.results])
        return [
            self.what,
            self.who,
            f"{self.events:,}" if self.events else UNKNOWN,
            _shown(_middle(rates), ",.0f"),
            f"{min(rates):,.0f}, {max(rates):,.0f}" if len(rates) > 1 else UNKNOWN,
            _shown(_middle(self.ratios), ".2f"),
            UNKNOWN if client is None else f"{client:.0f} + {_shown(server, '.0f')}",
            _shown(_middle([one.wal for one in self.results]), ",.0f"),
            _shown(_most([one.memory for one in self.results]), ",.0f"),
            _delays(self.delays),
        ]


def draw(console: Console, lines: Sequence[Line], machine: Machine) -> None:
    """Print the table, what its ratios are to, and where it was measured. A narrow terminal gets a
    paragraph a line: a figure that is cut is none.
    """
    if console.width < LEAST_WIDTH:
        for line in lines:
            what, who, *cells = line.cells()
            known = [
                f"{head} {c}" for head, c in zip(HEADS[2:], cells, strict=True) if c != UNKNOWN
            ]
            console.print(f"{what}, {who}: {'; '.join(known)}", highlight=False)
    else:
        _draw_table(console, lines)
    for line in lines:
        for remark in line.remarks:
            console.print(f"{line.what}, {line.who}: {remark}", highlight=False)
    console.print(
        "Medians; memory is the largest. A ratio is taken within a round: to the sink's best mode,"
        " of the exchange to our own rate one way, of growth to the fewest rows.",
        highlight=False,
    )
    for noise in noises(lines):
        console.print(noise, highlight=False)
    console.print("\n".join(machine.sentences()), highlight=False)


def _draw_table(console: Console, lines: Sequence[Line]) -> None:
    table = Table(*HEADS, box=None if not console.is_terminal else SIMPLE, pad_edge=False)
    before = ""
    for line in lines:
        what, *cells = line.cells()
        table.add_row(what if what != before else "", *cells)
        before = what
    console.print(table)


def noises(lines: Sequence[Line]) -> list[str]:
    """How far apart two equal contenders are, of each workload that has such two."""
    found = []
    by_name = {(line.what, line.who): line for line in lines}
    for (what, who), again in by_name.items():
        first = by_name.get((what, who.removesuffix(AGAIN)))
        if who.endswith(AGAIN) and first is not None:
            apart = [
                abs(one.rate / other.rate - 1) * 100
                for one, other in zip(first.results, again.results, strict=True)
            ]
            middle = statistics.median
            medians = middle(r.rate for r in first.results) / middle(r.rate for r in again.results)
            found.append(
                f"{what}: two equal runs differ by {abs(medians - 1) * 100:.0f} % in the median,"
                f" by up to {max(apart):.0f} % in a round."
            )
    return found


AGAIN = ", again"


def save(file: Path, lines: Sequence[Line], machine: Machine) -> None:
    """Everything, each round by itself."""
    content = {"machine": asdict(machine), "lines": [asdict(line) for line in lines]}
    file.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))


def _middle(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _most(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _shown(value: float | None, form: str) -> str:
    return UNKNOWN if value is None else format(value, form)


def _delays(found: Delays | None) -> str:
    if found is None:
        return UNKNOWN
    return f"{found.p50:,.0f}, {found.p99:,.0f}, {found.longest:,.0f}"


Say = Callable[[str], None]
