"""The long form of the proof: `python -m tests.properties.conflicts.prove [runs] [seed]`;
100,000 runs unless told otherwise.

Prints what happened, how often each property broke, and, for each guard taken out,
how many runs it took to see one break.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from tests.properties.conflicts import changed
from tests.properties.conflicts.changing import ChangingWorld
from tests.properties.conflicts.oracle import run
from tests.properties.conflicts.without import LINE_REMOVALS, REMOVALS, without
from tests.properties.conflicts.world import World

PROPERTIES = (
    "convergence",
    "lost edit",
    "no ping-pong",
    "idempotence",
    "parked",
    "log",
    "linking",
    "lost text",
)
OF_CHANGES = (
    "convergence",
    "lost edit",
    "newest",
    "blanked",
    "unfounded write",
    "no ping-pong",
    "idempotence",
    "parked",
)
SHOWN = 5


def main() -> int:
    """Exit code 0 if no property broke with all guards in, and one broke without each of them."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = sys.argv[2] if len(sys.argv) > 2 else "1"
    broken = _prove("the same lines all the time", run, PROPERTIES, runs, seed)
    broken |= _prove("lines that change", changed.run, OF_CHANGES, runs, seed)
    unguarded = [name for name in (*REMOVALS, *LINE_REMOVALS) if not _breaks_without(name, seed)]
    return 1 if broken or unguarded else 0


def _prove(
    what: str,
    run_one: Callable[[str], tuple[World, list[str]]],
    properties: Sequence[str],
    runs: int,
    seed: str,
) -> bool:
    happened: Counter[str] = Counter()
    broke: Counter[str] = Counter()
    begun = time.monotonic()
    for number in range(runs):
        world, faults = run_one(f"{seed}-{number}")
        happened.update(dict(_happened(world)))
        broke.update({fault.split(":")[0] for fault in faults})
        if faults and sum(broke.values()) <= SHOWN:
            print(f"run {seed}-{number}: {faults}", flush=True)
    print(f"{what}: {runs:,} runs, seed {seed}, {time.monotonic() - begun:.0f} s")
    for name, count in happened.items():
        print(f"  {name:<42}{count:>12,}")
    print("runs in which a property broke")
    for name in properties:
        print(f"  {name:<42}{broke[name]:>12,}", flush=True)
    return bool(broke)


def _happened(world: World) -> Iterator[tuple[str, int]]:
    consumer = world.consumer
    yield "lines typed by people", len(world.people)
    yield "events processed", consumer.events
    yield "crashes of the process", consumer.crashes
    yield "lines written by us", consumer.lines_written
    yield "rows created by us", len(consumer.created)
    yield "pairs of filled rows linked", len(consumer.first_linked)
    yield "rows deleted", len(world.deleted)
    yield (
        "captures begun anew after a gap",
        sum(database.epoch - 1 for database in world.databases.values()),
    )
    yield "entries in the conflict log", len(consumer.logged)
    yield (
        "lines parked at the end",
        sum(len(link.parked) for link in consumer.links.values()),
    )
    if isinstance(world, ChangingWorld):
        yield "releases with other lines", world.changed
        yield "looks at both rows of a pair", world.consumer.looks


def _breaks_without(name: str, seed: str) -> bool:
    removal = (REMOVALS | LINE_REMOVALS)[name]
    with without(name):
        for number in range(removal.runs):
            one = f"{seed}-{number}"
            is_of_lines = name in LINE_REMOVALS
            _, faults = changed.run(one) if is_of_lines else run(one, removal.only)
            if faults:
                print(
                    f"  without {name:<34}{number + 1:>12,} runs to: {faults[0].split(':')[0]}",
                    flush=True,
                )
                return True
    print(
        f"  without {name:<34} no property broke in {removal.runs:,} runs",
        flush=True,
    )
    return False


if __name__ == "__main__":
    raise SystemExit(main())
