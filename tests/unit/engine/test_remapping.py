"""A changed map is applied to the rows that are there: its own rows, once,
and by the newest release.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.projection.remapping import Remapped, remap
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.model.ledger import Mark
from tests.support.engine import Consumer, Ticking, ready
from tests.support.events import NOON, event
from tests.twins.target import MemoryTarget

EVENTS = (
    event("AxVec", 1, at=1, vecIsClient=True, vecDescription="client"),
    event("AxVec", 2, at=2, vecIsVendor=True, vecDescription="vendor"),
    event("AxVec", 3, at=3, vecIsEmployee=True, vecLastName="employee"),
    event("AxProject", 4, at=4, prjStatus=1, prjDescription="project"),
)
SITE = Site()
OTHER_SITE = Site(
    assumptions=SITE.assumptions.model_copy(update={"internal_organization": "We"}),
)


def start(
    target: MemoryTarget,
    route: Route = AJERA_TO_PIM,
    site: Site = SITE,
    release: str = "1.0.0",
    *,
    is_rollback: bool = False,
) -> Remapped:
    """What a consumer does first."""
    with target.transaction() as transaction:
        return remap(transaction, route, site, release, NOON, is_rollback=is_rollback)


def filled() -> MemoryTarget:
    """A PIM whose maps are applied, with a row of each kind."""
    target = ready(MemoryTarget(AJERA_TO_PIM))
    start(target)
    Consumer(target, EVENTS).take(EVENTS)
    return target


def marked(target: MemoryTarget) -> set[tuple[str, str]]:
    return {(mark.kind, mark.key) for mark in due(target)}


def due(target: MemoryTarget) -> list[Mark]:
    with target.transaction() as transaction:
        return transaction.due(100, set_before=NOON.replace(year=2100), waiting_before=NOON)


def without_fax(name: str) -> Route:
    """The route with a line less in one map."""
    return replace(
        AJERA_TO_PIM,
        mappings=tuple(
            replace(one, lines=tuple(line for line in one.lines if line.target != "Fax Number"))
            if one.name == name
            else one
            for one in AJERA_TO_PIM.mappings
        ),
    )


def test_a_start_with_the_maps_that_were_applied_last_marks_nothing() -> None:
    """However often."""
    target = filled()
    assert start(target) == start(target, release="1.1.0") == Remapped((), ())
    assert marked(target) == set()


def test_only_the_rows_of_a_map_that_changed_are_recomputed() -> None:
    """Clients, vendors and employees stand in one table; projects in another."""
    target = filled()
    assert start(target, without_fax("client"), release="1.1.0").recomputed == ("client",)
    assert marked(target) == {("AxVec", "1")}


def test_only_the_rows_of_maps_that_read_an_assumption_are_recomputed() -> None:
    """Of the same release: a profile that was changed."""
    target = filled()
    assert start(target, site=OTHER_SITE).recomputed == ("employee",)
    assert marked(target) == {("AxVec", "3")}
    Consumer(target, [], clock=Ticking(), site=OTHER_SITE).drain()
    (row,) = target.rows("Contact")
    assert row["Organization ID"] == "We"


def test_what_an_entity_missed_while_it_was_off_is_recomputed_when_it_is_on_again() -> None:
    """Off and on again, the map is the same one."""
    target = filled()
    off = AJERA_TO_PIM.only(frozenset({"vendors", "employees", "contacts", "projects"}))
    assert "client" not in start(target, off).recomputed
    renamed = event("AxVec", 1, at=9, vecIsClient=True, vecDescription="renamed")
    Consumer(target, [renamed], route=off).take([renamed])
    assert "client" in start(target).recomputed
    Consumer(target, [], clock=Ticking()).drain()
    assert [
        row["Name"] for row in target.rows("Organization") if row["Organization ID"] == "cl-1"
    ] == ["renamed"]


def test_two_releases_side_by_side_do_not_undo_each_others_maps() -> None:
    """A rolling restart: starts of the older release mark nothing,
    nor do further ones of the newer.
    """
    target, newer = filled(), without_fax("client")
    assert start(target, newer, release="1.10.0").recomputed == ("client",)
    Consumer(target, [], clock=Ticking(), route=newer).drain()
    for _ in range(3):
        assert start(target, release="1.9.0") == Remapped((), ("client",))
        assert start(target, newer, release="1.10.0") == Remapped((), ())
    assert marked(target) == set()


def test_a_map_that_only_a_newer_release_has_is_none_of_an_older_ones() -> None:
    """The older one neither marks it nor takes it for switched off."""
    target = ready(MemoryTarget(AJERA_TO_PIM))
    older = replace(AJERA_TO_PIM, mappings=AJERA_TO_PIM.mappings[1:])
    assert "client" in start(target, release="1.1.0").recomputed
    start(target, older, release="1.0.0")
    assert start(target, release="1.1.0") == Remapped((), ())


def test_after_a_rollback_each_release_applies_its_own_maps_once_the_operator_says_so() -> None:
    """`ajera-cdc mappings recompute`, run with the older release."""
    target, newer = filled(), without_fax("client")
    start(target, newer, release="1.1.0")
    assert start(target, release="1.0.0", is_rollback=True).recomputed == ("client",)
    assert start(target, release="1.0.0") == Remapped((), ())
    assert start(target, newer, release="1.1.0").recomputed == ("client",)


def test_the_operator_can_have_every_map_applied_again() -> None:
    """What older consumers wrote during a rolling restart, no later start can see."""
    target = filled()
    with target.transaction() as transaction:
        remapped = remap(transaction, AJERA_TO_PIM, SITE, "1.0.0", NOON, is_whole=True)
    assert remapped.recomputed == ("client", "contact", "employee", "project", "vendor")
    assert marked(target) == {("AxVec", "1"), ("AxVec", "2"), ("AxVec", "3"), ("AxProject", "4")}
    assert start(target) == Remapped((), ())


def test_a_recompute_writes_nothing_that_did_not_differ() -> None:
    """A map that gives the same values writes none."""
    target = filled()
    start(target, without_fax("client"), release="1.1.0")
    before = len(target.log)
    Consumer(target, [], clock=Ticking(), route=without_fax("client")).drain()
    assert len(target.log) == before
