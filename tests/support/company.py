"""Another live process of the group comes by wherever the first one holds no lock,
and reads topics that are not in its hand.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from pipeline.conflicts.rules import Side
from tests.support.outbox import Crash, FallingPairs, World


@dataclass
class Company:
    """`topics`: tables, each by the side it is of."""

    world: World
    random: random.Random
    topics: Mapping[str, Side]

    def __post_init__(self) -> None:
        self.often = self.random.choice(
            (5, 20, 60)
        )  # at how many of a hundred commits somebody comes by

    def deliver(self, side: Side, count: int, *tables: str) -> None:
        """The next events of these tables, in one batch; meanwhile others read the rest."""
        free = [table for table in self.topics if table not in tables]

        def meet() -> None:
            if free and self.random.randrange(100) < self.often:
                table = self.random.choice(free)
                other = replace(
                    self.world,
                    pairs=FallingPairs(self.world.pairs.real, self.world.pairs.may_die),
                )
                with suppress(Crash):
                    other.deliver(
                        self.topics[table],
                        self.random.choice((1, 1, 2, 8)),
                        table,
                    )

        self.world.pairs.meet = meet
        try:
            self.world.deliver(side, count, *tables)
        finally:
            self.world.pairs.meet = lambda: None
