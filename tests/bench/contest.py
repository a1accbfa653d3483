"""Contenders that take turns on one workload; and the same workload with more and more rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from tests.bench.contenders import Arena, copied, ours, sink
from tests.bench.feed import Feed
from tests.bench.measuring import Result
from tests.bench.report import AGAIN, Line, Say
from tests.bench.workloads import Made, Workload

Contender = Callable[[Arena, Workload, Feed], Result]
ONE, TWO = "ours, one process", "ours, two processes"
MEMBERS = "ours, one process of two members"
AGAIN_ONE, COPY = ONE + AGAIN, "COPY and one upsert, no Kafka"
PLAIN, BUFFERED = "sink, upsert, 1,000", "sink, reduction buffer, 5,000"
FASTEST = "sink, reduction buffer, UNNEST, 5,000"
OURS: Mapping[str, Contender] = {
    ONE: partial(ours, processes=1),
    MEMBERS: partial(ours, processes=1, members=2),
    TWO: partial(ours, processes=2),
    AGAIN_ONE: partial(ours, processes=1),
}
SINK: Mapping[str, Contender] = {
    PLAIN: partial(sink, mode="plain"),
    BUFFERED: partial(sink, mode="buffered"),
    FASTEST: partial(sink, mode="fastest"),
}
LIMIT: Mapping[str, Contender] = {COPY: copied}
GROWTH = (1, 10, 100)


@dataclass(frozen=True)
class Contest:
    """Who takes turns on a workload."""

    made: Made
    names: Sequence[str]

    def run(self, arena: Arena, size: int, rounds: int, seed: int, say: Say) -> list[Line]:
        """The sink runs once before, so that it is warm. Raises AssertionError if a target does not
        hold what was sent, TimeoutError.
        """
        workload = self.made(size, seed)
        feed = Feed(arena.stack, workload)
        known = OURS if arena.server is not None else {**OURS, **SINK, **LIMIT}
        chosen = {name: known[name] for name in self.names if name in known}
        results: dict[str, list[Result]] = {name: [] for name in chosen}
        for name in SINK:
            if name in chosen:
                say(f"{workload.name}: {name}, to warm it ...")
                chosen[name](arena, workload, feed)
        for number in range(1, rounds + 1):
            for name, contender in chosen.items():
                results[name].append(found := contender(arena, workload, feed))
                say(f"{workload.name}, round {number}: {name}: {found.rate:,.0f} events/s")
        best = _best([results[name] for name in SINK if name in results])
        return [
            Line(
                workload.name,
                name,
                workload.events,
                found,
                [one.rate / by for one, by in zip(found, best, strict=True)] if best else (),
            )
            for name, found in results.items()
        ]


def _best(of_peers: Sequence[Sequence[Result]]) -> list[float]:
    """In each round the peers' best rate."""
    return [max(one.rate for one in together) for together in zip(*of_peers, strict=True)]


def grown(arena: Arena, made: Made, least: int, seed: int, say: Say) -> list[Line]:
    """Our one process on 1, 10 and 100 times the rows."""

    def measured(rows: int) -> tuple[str, int, Result]:
        workload = replace(made(rows, seed), leaves="")
        found = OURS[ONE](arena, workload, Feed(arena.stack, workload))
        return workload.name, workload.events, found

    return growth(ONE, least, measured, say)


def growth(
    who: str, least: int, measured: Callable[[int], tuple[str, int, Result]], say: Say
) -> list[Line]:
    """`measured`: what so many rows are, how many events, and what they took."""
    lines: list[Line] = []
    for times in GROWTH:
        what, events, found = measured(least * times)
        say(f"{what}, {times} times the rows: {found.rate:,.0f} events/s")
        base = lines[0].results[0].rate if lines else found.rate
        of = f"growth: {what}", f"{who}, x {times}"
        lines.append(Line(*of, events, [found], [found.rate / base]))
    return lines
