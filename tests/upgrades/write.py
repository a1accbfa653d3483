"""`python -m tests.upgrades.write FILE`: what this release leaves behind in a PIM database, as SQL.

Run in the tree of a release, before the next one is made. A firm's working days go through the
whole engine into a real database; `tests/upgrades/test_upgrade.py` goes on from there.
"""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path

from deploy.local.stack import Stack, running_stack
from pipeline.model.event import Event
from tests.support.engine import Consumer, fresh_target
from tests.support.events import position
from tests.support.histories import batches, history
from tests.upgrades.dump import dumped

SEED = "the last release"
FIRMS, LENGTH = 12, 70  # histories beside each other, and events in each
REFERENCES = {
    *("vecKey", "cntKey", "cntClient", "cntVendor", "prjKey", "prjProject", "prjProjectManager"),
    *("prjPrincipalInCharge", "igKey", "igProject", "igClient", "resKey", "resProject"),
    "resEmployee",
}


def moved(event: Event, number: int) -> Event:
    """The event as one of another small firm: its keys, and its place, stand apart."""
    row = {
        column: value + 10 * number if column in REFERENCES and value else value  # type: ignore[operator]
        for column, value in event.row.items()
    }
    at = int(event.position[-8:], 16) + 0x1000 * number
    place = event.place._replace(offset=event.place.offset + 1000 * number)
    key = str(int(event.key) + 10 * number)
    return replace(event, key=key, row=row, place=place, position=position(at))


def working_days(rng: random.Random) -> list[Event]:
    """What a firm did until the last release was stopped."""
    return [moved(one, number) for number in range(FIRMS) for one in history(rng, LENGTH)]


def write(stack: Stack, file: Path) -> None:
    """Write the state that this program makes of the seed's history."""
    rng = random.Random(SEED)
    events = working_days(rng)
    engine, target = fresh_target(stack.create_database("last_release"))
    consumer = Consumer(target, events)
    for batch in batches(rng, events):
        consumer.take(batch)
    consumer.drain()
    with engine.connect() as connection:
        statements = list(dumped(connection, ("public", "sync")))
    engine.dispose()
    file.write_text("\n".join(statements) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with running_stack(print, parts=("postgres",)) as running:
        write(running, Path(sys.argv[1]))
