"""Rows of tables that others fill, too: what the route owns there, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.conflicts.link import Link, LinkSide, State
from pipeline.engine.projection import following
from pipeline.mapping.route import Route
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Event, Row, Value
from tests.support.engine import Consumer, Ticking, ready
from tests.support.events import NOON, event
from tests.support.linked import project_key
from tests.support.tabs import LEAD, PROJECT, TABS, TEAM, THEIRS
from tests.twins.clock import Ticks
from tests.twins.pairs import MemoryPairs
from tests.twins.systems import both_systems
from tests.twins.target import MemoryTarget

TABLES = {one.name: one for one in THEIRS.targets}


@dataclass
class Office:
    """DPS's tables, which people fill, an exchange, and the route that writes its columns there."""

    route: Route = TABS
    pairs: MemoryPairs = field(default_factory=lambda: both_systems(Ticks(NOON)))
    clock: Ticking = field(default_factory=Ticking)

    def __post_init__(self) -> None:
        self.target = ready(MemoryTarget(self.route, beside=self.pairs))
        self.people = MemoryTarget(THEIRS)
        self.people.targets, self.people.locks = self.target.targets, self.target.locks
        with self.target.transaction() as transaction:
            following.follow(transaction, self.route, self.clock.now())

    def people_write(self, table: str, *key: str, **columns: Value) -> None:
        with self.people.transaction() as transaction:
            transaction.upsert(table, [TargetRow(table, key, columns)])

    def link(self, key: int, number: str) -> None:
        halves = LinkSide("AxProject", str(key)), LinkSide("PR", project_key(number))
        link = Link(f"{key}-{number}", "project", *halves, state=State.LINKED)
        with self.pairs.transaction() as transaction:
            transaction.links([link.id])
            transaction.store([(link, None)])

    def take(self, *events: Event) -> Consumer:
        consumer = Consumer(self.target, events, clock=self.clock, route=self.route)
        consumer.take(events)
        return consumer

    def drain(self) -> None:
        Consumer(self.target, (), clock=self.clock, route=self.route).drain()

    def rows(self, table: str) -> dict[tuple[Value, ...], Row]:
        """By the whole key the other columns."""
        key = TABLES[table].key
        return {
            tuple(row[name] for name in key): {
                name: value for name, value in row.items() if name not in key
            }
            for row in self.target.rows(table)
        }


def project(key: int, at: int, name: str) -> Event:
    return event("AxProject", key, at=at, prjDescription=name)


def group(key: int, at: int, of: int, client: int | None = None) -> Event:
    return event("AxInvoiceGroup", key, at=at, igProject=of, igClient=client)


def test_a_project_gets_its_columns_and_its_phases_are_left_alone() -> None:
    """They have its number, and so have people's team rows of a phase."""
    office = Office()
    phase = {"AjeraName": None, "AjeraGroups": None, "Memo": "theirs"}
    for place in ((" ", " "), ("1", " "), ("1", "2")):
        office.people_write(PROJECT.name, "P-1", *place, **phase)
    theirs = {"WBS1": "P-1", "WBS2": "1", "WBS3": " ", "Employee": "5", "Role": LEAD}
    office.people_write(TEAM.name, "a" * 32, **theirs, Hours=None)
    office.link(1, "P-1")
    office.take(project(1, 1, "Hill"), group(5, 2, 1, client=8))
    office.drain()
    assert office.rows(PROJECT.name) == {
        ("P-1", " ", " "): phase | {"AjeraName": "Hill", "AjeraGroups": 1},
        ("P-1", "1", " "): phase,
        ("P-1", "1", "2"): phase,
    }
    team, made = office.rows(TEAM.name), TEAM.made_id(("P-1", "5", LEAD))
    assert team == {
        ("a" * 32,): theirs | {"Hours": None, "Notes": None},
        (made,): theirs | {"WBS2": " ", "Hours": 8, "Notes": None},
    }


def test_a_project_of_which_only_phases_are_there_gets_no_row() -> None:
    """Neither it, nor a team."""
    office = Office()
    office.people_write(PROJECT.name, "P-1", "1", " ", Memo="theirs")
    office.link(1, "P-1")
    office.take(project(1, 1, "Hill"), group(5, 2, 1))
    office.drain()
    assert list(office.rows(PROJECT.name)) == [("P-1", "1", " ")]
    assert office.rows(TEAM.name) == {}


def test_a_team_row_that_a_person_made_is_taken_over_and_given_back() -> None:
    """With their notes; what is not wanted any more leaves it without hours."""
    office = Office()
    office.people_write(PROJECT.name, "P-1", " ", " ", Memo=None)
    theirs = {"WBS1": "P-1", "WBS2": " ", "WBS3": " ", "Employee": "5", "Role": LEAD}
    office.people_write(TEAM.name, "f" * 32, **theirs, Notes="theirs")
    office.link(1, "P-1")
    office.take(project(1, 1, "Hill"), group(5, 2, 1, client=8), group(6, 3, 1, client=9))
    office.drain()
    hours = {row["Employee"]: (row["Hours"], row["Notes"]) for row in office.target.rows(TEAM.name)}
    assert hours == {"5": (8, "theirs"), "6": (9, None)}
    office.take(group(5, 4, 2), group(6, 5, 2))
    office.drain()
    assert office.rows(TEAM.name) == {("f" * 32,): theirs | {"Hours": None, "Notes": "theirs"}}
