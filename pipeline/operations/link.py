"""A first run over two filled systems: links what matches, parks what is ambiguous,
creates the rest; or rehearses it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import tenacity

from pipeline.config.settings import Settings
from pipeline.conflicts.conflict import Conflict
from pipeline.conflicts.decision import Reason
from pipeline.conflicts.link import Link
from pipeline.conflicts.rules import Side
from pipeline.database.pairs import DatabasePairs
from pipeline.database.rehearsal import rehearsed
from pipeline.domain.status import ACTIVE, IN_DPS
from pipeline.domain.status import LINE as STATUS
from pipeline.engine.exchange.new_lines import NewLines
from pipeline.engine.exchange.ports import Pairs
from pipeline.engine.exchange.reconciler import ITEMS_A_ROUND
from pipeline.engine.exchange.unit_of_work import (
    ExchangeConfig,
    PassResult,
    WorkItem,
)
from pipeline.errors import PipelineError, Remedy
from pipeline.model.event import Value
from pipeline.pairing.entity import Entity, ParkedWork
from pipeline.telemetry.health import Health
from pipeline.telemetry.prometheus import PrometheusTelemetry
from pipeline.wiring.clients import SystemClock
from pipeline.wiring.exchange import pairs_of, reconciler, require_choices, setup_of
from pipeline.wiring.time_entries import require_time

T = TypeVar("T")
Progress = Callable[[str, int, int], None]  # entity and side, rows looked at, rows in all
PATIENCE_SECONDS = 120.0
ALL_PARKED = 100_000


@dataclass
class LinkedEntity:
    """What became of the rows of an entity. `differing`: lines of linked pairs that differed,
    by who wins them.

    `statuses`: of how many linked pairs each coding of Ajera's statuses changes DPS's status.
    `new_lines`: lines that pairs linked earlier did not know, by what became of them.
    """

    entity: str
    linked: int = 0
    created_in_ajera: int = 0
    created_in_dps: int = 0
    parked: dict[str, int] = field(default_factory=dict)
    differing: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    new_lines: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Unticked:
    """A pair that was linked by name, though on `side` nobody has set the row to be exchanged."""

    entity: str
    ajera_key: str
    dps_key: str
    side: str


@dataclass(frozen=True)
class Linked:
    """What a run did, or would do. `parked`: what waits for a person,
    with the reason and what to do.
    """

    is_rehearsal: bool
    entities: tuple[LinkedEntity, ...]
    parked: tuple[ParkedWork, ...]
    unticked: tuple[Unticked, ...]


def link(settings: Settings, progress: Progress, *, is_rehearsal: bool) -> Linked:
    """Look at every row of both sides that has no link. If it is killed,
    it continues when started again: what is linked stays.

    Raises SyncSchemaOutdated, ConfigurationInvalid, ChoiceMissing, TimeUnreadable,
    and what the databases raise.
    """
    require_choices(settings)
    setup = setup_of(settings)
    with (
        pairs_of(settings) as real,
        _chosen(real, is_rehearsal=is_rehearsal) as pairs,
    ):
        require_time(setup, pairs)
        run = _Run(setup, pairs)
        run.new_lines(progress)
        for entity in setup.entities:
            if entity.parent is None:
                for side in Side:
                    run.rows(entity, side, progress)
        with pairs.transaction() as transaction:
            parked = transaction.due(ALL_PARKED, SystemClock().now())
    return Linked(
        is_rehearsal,
        tuple(run.entities.values()),
        tuple(parked),
        tuple(run.unticked),
    )


@contextmanager
def _chosen(real: DatabasePairs, *, is_rehearsal: bool) -> Iterator[Pairs]:
    if not is_rehearsal:
        yield real
        return
    with rehearsed(real) as pairs:
        yield pairs


class _Run:
    """One run, and what it has come to."""

    def __init__(self, setup: ExchangeConfig, pairs: Pairs) -> None:
        self._setup = setup
        self._pairs = pairs
        self._rounds = reconciler(setup, pairs, PrometheusTelemetry(Health()))
        self.entities = {entity.name: LinkedEntity(entity.name) for entity in setup.entities}
        self._counted: set[str] = set()  # links
        self.unticked: list[Unticked] = []
        for name in IN_DPS.keys() & self.entities.keys():
            self.entities[name].statuses = dict.fromkeys(map(str, ACTIVE), 0)

    def new_lines(self, progress: Progress) -> None:
        """Every pair that is linked already and does not know all lines."""
        pages, looked_at = NewLines(self._setup, self._pairs), 0
        while items := pages.page():
            for done in self._rounds.run(items, patiently):
                for (
                    entity,
                    line,
                    outcome,
                ), count in done.new_lines.items():
                    of_line = self.entities[entity].new_lines.setdefault(line, {})
                    of_line[outcome] = of_line.get(outcome, 0) + count
            looked_at += len(items)
            progress("pairs with new lines", looked_at, looked_at)

    def rows(self, entity: Entity, side: Side, progress: Progress) -> None:
        """Every row of one side of an entity."""
        table = entity.side(side).table
        with (
            self._pairs.transaction() as links,
            self._pairs.ajera() as ajera,
        ):
            keys = (ajera.rows if side is Side.AJERA else links.rows).keys(table)
        what = f"{entity.name} in {side}"
        for first in range(0, len(keys), ITEMS_A_ROUND):
            page = keys[first : first + ITEMS_A_ROUND]
            with self._pairs.transaction() as links:
                known = links.linked_among(entity.name, side, page)
            items = [
                WorkItem(side, table.name, key, entity=entity.name)
                for key in page
                if key not in known
            ]
            for done in self._rounds.run(items, patiently):
                self._count(done)
            progress(what, first + len(page), len(keys))

    def _count(self, done: PassResult) -> None:
        for one in done.ended:
            found = self.entities[one.item.entity or ""]
            match one.reason:
                case Reason.LINKED:
                    found.linked += 1
                case Reason.CREATED if one.item.side is Side.AJERA:
                    found.created_in_dps += 1
                case Reason.CREATED:
                    found.created_in_ajera += 1
                case _:
                    pass
            if one.outcome == "parked" and one.reason != Reason.LINKED:
                found.parked = dict(Counter(found.parked) + Counter({one.reason: 1}))
        for conflict in done.conflicts:
            self._count_difference(conflict)
        before = {
            conflict.link: (conflict.ajera, conflict.dps)
            for conflict in done.conflicts
            if conflict.column == STATUS
        }
        for link in done.linked:
            if link.id not in self._counted:
                self._counted.add(link.id)
                if not any(pending.creates for side in Side for pending in link.side(side).pending):
                    self._count_unticked(link)
                    self._count_status(link, before.get(link.id))

    def _count_unticked(self, link: Link) -> None:
        if self._setup.entity(link.entity).parent is None:
            keys = link.ajera.key or "", link.dps.key or ""
            self.unticked += [
                Unticked(link.entity, *keys, side.value) for side in Side if side in link.off
            ]

    def _count_status(self, link: Link, before: tuple[Value, Value] | None) -> None:
        """Compares what the pair held before we wrote, if we did.
        A row that we made had no status of its own.
        """
        if link.entity not in IN_DPS or not link.is_known(STATUS):
            return
        ajera, dps = before or (
            link.ajera.value[STATUS],
            link.dps.value[STATUS],
        )
        if ajera is None:
            return  # a blank changes nothing at a first link
        for coding in ACTIVE:
            self.entities[link.entity].statuses[coding] += IN_DPS[link.entity](coding)(ajera) != dps

    def _count_difference(self, conflict: Conflict) -> None:
        if conflict.column is not None:
            found = self.entities[conflict.entity]
            words = (
                f"{conflict.column}: "
                f"{'parked' if conflict.winner is None else f'{conflict.winner} wins'}"
            )
            found.differing = dict(Counter(found.differing) + Counter({words: 1}))


def patiently(call: Callable[[], T]) -> T:
    """What is transient is tried again for a while."""
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(
            lambda e: isinstance(e, PipelineError) and e.remedy is Remedy.RETRY
        ),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
        stop=tenacity.stop_after_delay(PATIENCE_SECONDS),
        reraise=True,
    )
    return retrying(call)
