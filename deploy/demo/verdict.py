"""The judges at the end of a run: is every PIM row right,
and do Ajera and DPS agree or is what differs parked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from deploy.demo.consumers import Consumer
from deploy.demo.people import Run
from deploy.sample import agreement, databases, oracle

SETTLE_SECONDS = 120.0
SHOWN = 20


def verified(run: Run, members: Sequence[Consumer], say: Callable[[str], None]) -> int:
    """Wait until both judges are content, or for two minutes; the exit code."""
    say(
        "Comparing every PIM row with what plain SQL over Ajera says it should be, and every pair "
        "of Ajera and DPS ..."
    )
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        for member in members:
            member.check()
        of_pim = oracle.compare(run.ajera, run.pim, run.naming)
        exchange = agreement.judged(run.ajera, run.dps, run.naming)
        of_dps = exchange.differences
        if not (of_pim or of_dps) or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    for difference in (*of_pim[:SHOWN], *of_dps[:SHOWN]):
        say(f"[red]{difference}[/red]")
    rows = sum(databases.counts(run.pim, run.naming).values())
    say(
        f"{rows:,} PIM rows compared after {run.edits.total():,} edits: {len(of_pim):,} "
        "differences."
    )
    say(
        f"{exchange.pairs:,} pairs of Ajera and DPS compared, {exchange.values:,} values: "
        f"{len(of_dps):,} differences. Parked: {exchange.parked_values:,} values, "
        f"{exchange.parked_rows:,} rows."
    )
    if of_pim:
        _explain(run, say)
    return 1 if of_pim or of_dps else 0


def _explain(run: Run, say: Callable[[str], None]) -> None:
    """What PIM's own tables tell of rows that are not right: what is marked or waits,
    and how far each topic was read.
    """
    marks = (
        "SELECT kind, COALESCE(code, 'marked'), count(*), min(set_at) FROM sync.due GROUP BY 1, 2"
        " ORDER BY 1, 2"
    )
    for kind, code, count, since in run.pim.execute(marks):
        say(f"{kind}: {count} {code} since {since:%H:%M:%S}")
    read = "SELECT topic, partition, next_offset, updated_at FROM sync.progress ORDER BY 1, 2"
    for topic, partition, offset, at in run.pim.execute(read):
        say(f"{topic}/{partition}: read to {offset} at {at:%H:%M:%S}")
