"""Rows whose key a link of the exchange gives: written while it does, and left as they are then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from pipeline.conflicts.link import Link, LinkSide, State
from pipeline.engine.projection import following
from pipeline.mapping.route import Route
from pipeline.mapping.table import AwaitParent, TableMapping
from pipeline.mapping.target import TargetTable
from pipeline.model.event import Event
from tests.support.engine import Consumer, Ticking, ready
from tests.support.events import NOON, event
from tests.support.linked import LINKED, MAPPING, PROJECT, REPORT, REPORT_GROUP, project_key
from tests.twins.clock import Ticks
from tests.twins.pairs import MemoryPairs
from tests.twins.systems import both_systems
from tests.twins.target import MemoryTarget


@dataclass
class Desk:
    """An exchange, and the reports of its projects."""

    route: Route = LINKED
    pairs: MemoryPairs = field(default_factory=lambda: both_systems(Ticks(NOON)))
    clock: Ticking = field(default_factory=Ticking)

    def __post_init__(self) -> None:
        self.target = ready(MemoryTarget(self.route, beside=self.pairs))
        self.start()

    def start(self) -> None:
        """A new process begins."""
        with self.target.transaction() as transaction:
            following.follow(transaction, self.route, self.clock.now())

    def store(self, *links: Link) -> None:
        with self.pairs.transaction() as transaction:
            transaction.links([link.id for link in links])
            transaction.store([(link, None) for link in links])

    def take(self, *events: Event) -> Consumer:
        consumer = Consumer(self.target, events, clock=self.clock, route=self.route)
        consumer.take(events)
        return consumer

    def drain(self) -> None:
        Consumer(self.target, (), clock=self.clock, route=self.route).drain()

    def shown(self) -> Mapping[object, Sequence[object]]:
        """By number in DPS the name and the groups of each report."""
        groups = [(row["WBS1"], row["Group"]) for row in self.target.rows(REPORT_GROUP.name)]
        return {
            row["WBS1"]: (row["Name"], [group for of, group in groups if of == row["WBS1"]])
            for row in self.target.rows(REPORT.name)
        }


def linked(key: int, number: str) -> Link:
    halves = LinkSide("AxProject", str(key)), LinkSide("PR", project_key(number))
    return Link(f"{key}-{number}", PROJECT, *halves, state=State.LINKED)


def project(key: int, at: int, name: str) -> Event:
    return event("AxProject", key, at=at, prjDescription=name)


def group(key: int, at: int, of: int) -> Event:
    return event("AxInvoiceGroup", key, at=at, igProject=of)


def test_a_row_without_a_link_is_no_target_row_and_waits_for_nothing() -> None:
    """Its events are filtered; most projects of a firm may never be linked."""
    desk = Desk()
    consumer = desk.take(project(1, 1, "Hill"), group(5, 2, 1))
    desk.drain()
    assert desk.shown() == {}
    assert consumer.telemetry.ended == {("skipped", "filtered"): 2}
    with desk.target.transaction() as transaction:
        assert transaction.waiting_count() == 0


def test_a_row_is_written_when_it_is_linked_without_any_event_of_its_own() -> None:
    """With what is known of it, and of the rows below it."""
    desk = Desk()
    desk.take(project(1, 1, "Hill"), group(5, 2, 1), project(2, 3, "Bay"))
    desk.store(linked(1, "P-1"))
    desk.drain()
    assert desk.shown() == {"P-1": ("Hill", ["5"])}
    desk.take(project(1, 4, "Hill 2"))
    assert desk.shown() == {"P-1": ("Hill 2", ["5"])}


def test_a_row_that_was_linked_before_anybody_followed_is_written_when_a_process_starts() -> None:
    """The first start marks every root."""
    desk = Desk()
    with desk.target.transaction() as transaction:
        transaction.follow_links([])
    desk.take(project(2, 1, "Bay"))
    desk.store(linked(2, "P-2"))
    desk.drain()
    assert desk.shown() == {}
    desk.start()
    desk.drain()
    assert desk.shown() == {"P-2": ("Bay", [])}


def test_a_row_stays_as_it_is_when_its_link_ends_or_is_suspended() -> None:
    """What is edited meanwhile comes when the pair is exchanged again."""
    desk, link = Desk(), linked(1, "P-1")
    desk.store(link)
    desk.take(project(1, 1, "Hill"), group(5, 2, 1))
    desk.store(replace(link, out=frozenset({"dps"})))
    desk.drain()
    desk.take(project(1, 3, "Hill 2"), group(6, 4, 1))
    desk.drain()
    assert desk.shown() == {"P-1": ("Hill", ["5"])}
    desk.store(link)
    desk.drain()
    assert desk.shown() == {"P-1": ("Hill 2", ["5", "6"])}
    desk.store(replace(link, state=State.ENDED))
    desk.take(project(1, 5, "Hill 3"))
    desk.drain()
    assert desk.shown() == {"P-1": ("Hill 2", ["5", "6"])}


def test_a_number_that_gets_another_project_shows_that_one_alone() -> None:
    """What the first one left there is replaced, the rows below it too."""
    desk, first = Desk(), linked(1, "P-1")
    desk.store(first)
    desk.take(project(1, 1, "Hill"), group(5, 2, 1), project(2, 3, "Bay"), group(6, 4, 2))
    desk.store(replace(first, state=State.ENDED), linked(2, "P-1"))
    desk.drain()
    assert desk.shown() == {"P-1": ("Bay", ["6"])}


def test_a_row_of_which_only_the_delete_was_seen_gives_no_row_though_it_is_linked() -> None:
    """Nothing is known of it."""
    desk = Desk()
    desk.store(linked(1, "P-1"))
    desk.take(event("AxProject", 1, "d", at=1))
    desk.drain()
    assert desk.shown() == {}


def test_who_dies_after_taking_a_change_leaves_a_mark_that_others_finish() -> None:
    """Change and mark are one transaction."""
    desk = Desk()
    desk.take(project(1, 1, "Hill"))
    desk.store(linked(1, "P-1"))
    with desk.target.transaction() as transaction:
        following.take(transaction, LINKED, 10, desk.clock.now())
    desk.drain()
    assert desk.shown() == {"P-1": ("Hill", [])}


def waited_for() -> TableMapping:
    parent = AwaitParent("WBS1", REPORT.name, "AxProject", is_prefixed=False)
    return replace(MAPPING, name="other", parents=(parent,))


@pytest.mark.parametrize(
    ("targets", "mappings"),
    [
        ((replace(REPORT, unique=("Name",)), REPORT_GROUP), (MAPPING,)),
        ((REPORT, REPORT_GROUP), (MAPPING, waited_for())),
    ],
)
def test_a_link_gives_no_key_by_which_a_root_would_have_to_be_found(
    targets: tuple[TargetTable, ...], mappings: tuple[TableMapping, ...]
) -> None:
    """Neither of rows with unique columns nor of those that others wait for."""
    with pytest.raises(ValueError, match="a link cannot give keys of Project Report"):
        replace(LINKED, targets=targets, mappings=mappings)


def test_a_row_that_others_deleted_is_not_made_again() -> None:
    """A project that was deleted in DPS is linked until the exchange has read the delete."""
    targets = (replace(REPORT, is_others=True), REPORT_GROUP)
    desk = Desk(replace(LINKED, targets=targets))
    with desk.target.transaction() as transaction:
        transaction.create_missing(REPORT.name, [{"WBS1": "P-1"}])
    desk.store(linked(1, "P-1"), linked(2, "P-2"))
    desk.take(project(1, 1, "Hill"), project(2, 2, "Bay"), group(5, 3, 1), group(6, 4, 2))
    desk.drain()
    assert desk.shown() == {"P-1": ("Hill", ["5"])}
    with desk.target.transaction() as transaction:
        assert transaction.waiting_count() == 0
