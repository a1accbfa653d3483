"""The process dies at every commit boundary in turn, before it and after it:
the world ends the same, and nothing is written twice.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count as counter
from typing import Any

import pytest

from deploy.local.stack import Stack
from pipeline.conflicts.manual import resolve
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.unit_of_work import WorkItem
from tests.support.outbox import Crash, World, at_once, world
from tests.support.writers import nothing

AJERA, DPS = Side.AJERA, Side.DPS
EVERY = int(os.environ.get("EXCHANGE_EVERY", "1"))  # each boundary, or each second one, and so on
KEYS_AND_DATES = {
    "vecKey",
    "cntKey",
    "cntClient",
    "prjKey",
    "prjProject",
    "igKey",
    "igProject",
    "igClient",
    "pcKey",
} | {
    *(
        "pcProject",
        "pcContact",
        "ClientID",
        "ContactID",
        "CreateDate",
        "ModDate",
    )
}


@pytest.fixture(scope="module")
def firm(postgres: Stack) -> Iterator[World]:
    with world(postgres) as made:
        for side, table in (
            (AJERA, "AxProjectTemplate"),
            (DPS, "CFGProjectTemplateDescriptions"),
        ):
            code, text = ("tplKey", "tplDescription") if side is AJERA else ("Code", "Description")
            made.insert(side, table, **{code: 1, text: "Standard"})
        made.insert(
            AJERA,
            "AxProjectTemplatePhase",
            tphKey=1,
            tphTemplate=1,
            tphOrder=1,
            tphDescription="Sketch",
        )
        made.restart()
        yield made


# -- stories: what people do, and how it is delivered ----------------------------------------------


def created_in_dps(firm: World) -> Iterator[Callable[[], object]]:
    firm.firm("A", "Hill", WebSite="hill.example")
    firm.insert(
        DPS,
        "CLAddress",
        ClientID="A",
        Address="Main",
        PrimaryInd="Y",
        City="Oslo",
    )
    firm.contact(DPS, "C", "Moe", ClientID="A")
    firm.project(DPS, "P-1", "Harbour", ClientID="A", ProjectTemplate="1")
    firm.insert(DPS, "PRContactAssoc", WBS1="P-1", ContactID="C", AjeraSync="Y")
    yield firm.settle


def children_first(firm: World) -> Iterator[Callable[[], object]]:
    """The events of what belongs to others come first, so that nobody tells of them again."""
    firm.firm("A", "Hill")
    firm.insert(
        DPS,
        "CLAddress",
        ClientID="A",
        Address="Main",
        PrimaryInd="Y",
        City="Oslo",
    )
    firm.contact(DPS, "C", "Moe", ClientID="A")
    firm.project(DPS, "P-1", "Harbour", ClientID="A")
    firm.insert(DPS, "PRContactAssoc", WBS1="P-1", ContactID="C", AjeraSync="Y")
    for table in (
        "PRContactAssoc",
        "CLAddress",
        "Contacts",
        "PR",
        "Clendor",
    ):
        yield lambda of=table: firm.deliver(DPS, None, of)  # type: ignore[misc]
    yield firm.settle


def created_in_ajera(firm: World) -> Iterator[Callable[[], object]]:
    firm.client(1, "Hill", vecCity="Oslo")
    firm.contact(AJERA, 1, "Moe", cntClient=1)
    firm.project(AJERA, 5, "Harbour", prjID="P-5")
    yield firm.settle


def edits_both_ways(firm: World) -> Iterator[Callable[[], object]]:
    firm.client(1, "Hill", vecCity="Oslo", vecClientNotes="old")
    firm.settle()
    firm.edit(
        AJERA,
        "AxVec",
        vecDescription="Ann's",
        vecWebsite="ann.example",
        vecCity="Bergen",
    )
    firm.edit(DPS, "Clendor", Name="Bob's", Memo="new")
    firm.edit(DPS, "CLAddress", State="NY")
    yield lambda: firm.deliver(DPS)
    yield lambda: firm.deliver(AJERA)
    yield firm.settle


def woken(firm: World) -> Iterator[Callable[[], object]]:
    """Parked rows and lines go on without an event."""
    firm.project(AJERA, 5, "HARBOUR", prjSyncToCRM=False, prjCreateInCRM=False)
    firm.client(1, "Hill", vecSyncToCRM=False)
    firm.firm("B", "Beck")
    firm.firm("C", "beck")
    firm.client(2, "BECK")
    firm.insert(
        DPS,
        "CLAddress",
        ClientID="C",
        Address="Main",
        PrimaryInd="Y",
        City="Oslo",
    )
    firm.project(DPS, "P-1", "Harbour", ClientID="B")
    firm.contact(AJERA, 1, "Moe", cntClient=1)
    firm.contact(DPS, "C2", "Roe", ClientID="C")
    firm.insert(DPS, "PRContactAssoc", WBS1="P-1", ContactID="C2", AjeraSync="Y")
    firm.settle()
    firm.edit(AJERA, "AxProject", prjDescription="Another")
    firm.edit(AJERA, "AxVec", 1, vecSyncToCRM=True)
    firm.edit(AJERA, "AxVec", 2, vecDescription="Dale")
    firm.delete(DPS, "Clendor", "B")
    firm.edit(DPS, "PR", ClientID="C")
    yield firm.settle
    yield firm.wait


def deleted(firm: World) -> Iterator[Callable[[], object]]:
    firm.client(1, "Hill")
    firm.firm("B", "Beck")
    firm.settle()
    firm.edit(AJERA, "AxVec", vecWebsite="in flight")
    firm.do(DPS, 'DELETE FROM "Clendor"')
    yield lambda: firm.deliver(AJERA)
    yield firm.settle


def place_taken(firm: World) -> Iterator[Callable[[], object]]:
    """A second primary address waits until the first one is none any more,
    and nobody tells of it again.
    """
    firm.client(1, "Hill")
    firm.firm("A", "Hill")
    for address, city in (("Main", "Oslo"), ("HQ", "Bergen")):
        firm.insert(
            DPS,
            "CLAddress",
            ClientID="A",
            Address=address,
            PrimaryInd="Y",
            City=city,
        )
        firm.settle()
    firm.do(
        DPS,
        """UPDATE "CLAddress" SET "PrimaryInd" = 'N' WHERE "Address" = 'Main'""",
    )
    yield firm.settle


def decided(firm: World) -> Iterator[Callable[[], object]]:
    """A person decides what was parked, by the text of DPS, which Ajera is to get."""
    firm.client(1, "Hill", vecClientNotes="old")
    firm.settle()
    firm.edit(AJERA, "AxVec", vecClientNotes="Ann's")
    firm.edit(DPS, "Clendor", Memo="Bob's")
    firm.settle()

    def decide() -> None:
        for link in firm.links():
            if link.parked:
                item = WorkItem(
                    AJERA,
                    "AxVec",
                    "1",
                    entity=link.entity,
                    link=link.id,
                    decide=lambda found, rules, now: resolve(found, "notes", DPS, now, rules),
                )
                list(firm.reconciler.run([item], at_once))

    yield decide
    yield firm.wait


def refused_in_ajera(firm: World) -> Iterator[Callable[[], object]]:
    """A row that Ajera did not take is created once it does, and what belongs to it follows,
    of which no event tells any more.
    """
    firm.do(
        AJERA,
        'ALTER TABLE "AxVec" ADD CONSTRAINT bad CHECK (length("vecWebsite") < 10)',
    )
    firm.firm("A", "Hill", WebSite="much too long for it")
    firm.insert(
        DPS,
        "CLAddress",
        ClientID="A",
        Address="Main",
        PrimaryInd="Y",
        City="Oslo",
    )
    firm.settle()
    firm.do(AJERA, 'ALTER TABLE "AxVec" DROP CONSTRAINT bad')
    yield firm.wait


def refused_in_dps(firm: World) -> Iterator[Callable[[], object]]:
    firm.do(
        DPS,
        'ALTER TABLE "Clendor" ADD CONSTRAINT bad CHECK (length("WebSite") < 10)',
    )
    firm.client(1, "Hill", vecWebsite="much too long for it", vecCity="Oslo")
    firm.settle()
    firm.do(DPS, 'ALTER TABLE "Clendor" DROP CONSTRAINT bad')
    yield firm.wait


STORIES = [
    *(
        created_in_dps,
        children_first,
        created_in_ajera,
        edits_both_ways,
        woken,
        deleted,
        decided,
    ),
    *(refused_in_ajera, refused_in_dps, place_taken),
]


# -- telling them ----------------------------------------------------------------------------------


def tell(
    firm: World,
    story: Callable[[World], Iterator[Callable[[], object]]],
    dies_at: int | None,
) -> int:
    """The story with a death at that boundary, told to its end; how many boundaries there were."""
    firm.clear()
    boundaries = counter()
    reached = 0

    def may_die() -> bool:
        nonlocal reached
        reached = next(boundaries)
        return reached == dies_at

    steps = story(firm)
    for step in steps:
        firm.pairs.may_die = may_die
        try:
            step()
        except Crash:
            firm.restart()
            step()
        firm.pairs.may_die = lambda: False
    firm.settle()
    firm.wait()
    return reached + 1


def end_of(firm: World) -> dict[str, object]:
    """What the world came to, without the keys that differ from one telling to the next."""
    return {
        "ajera": {
            table: rows(firm, AJERA, table)
            for table in (
                "AxVec",
                "AxContact",
                "AxProject",
                "AxInvoiceGroup",
            )
        }
        | {"AxProjectContact": len(firm.rows(AJERA, "AxProjectContact", "pcKey"))},
        "dps": {
            table: rows(firm, DPS, table) for table in ("Clendor", "CLAddress", "Contacts", "PR")
        },
        "created": {side: created(firm, side) for side in Side},
        "vain": vain(firm),
        "parked": sorted(firm.parked().values()),
        "lines": sorted((link.entity, link.state, *sorted(link.parked)) for link in firm.links()),
        "conflicts": Counter(firm.conflicts()),
    }


def rows(firm: World, side: Side, table: str) -> list[Any]:
    found = firm.connection(side).execute(f'SELECT to_jsonb("{table}") FROM "{table}"')
    return sorted((without_keys(row) for (row,) in found), key=str)


def created(firm: World, side: Side) -> Counter[str]:
    """The rows that we created, by table."""
    return Counter(table for table, operation, _, _ in firm.writes(side) if operation == "c")


def vain(firm: World) -> list[object]:
    """Writes of ours that changed nothing, or made a change that had been made before."""
    changes = [
        (side, table, str(was), str(row))
        for side in Side
        for table, _, was, row in firm.writes(side)
    ]
    return [
        change for change, count in Counter(changes).items() if count > 1 or change[2] == change[3]
    ]


def without_keys(row: Any) -> Any:
    return (
        None
        if row is None
        else {name: value for name, value in row.items() if name not in KEYS_AND_DATES}
    )


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_death_at_any_commit_changes_nothing_of_how_it_ends(
    firm: World, story: Callable[[World], Iterator[Callable[[], object]]]
) -> None:
    """Each row is created once, no change is made twice, each conflict is logged once."""
    boundaries = tell(firm, story, None)
    expected = end_of(firm)
    assert boundaries > 10
    different = {}
    for number in range(0, boundaries, EVERY):
        tell(firm, story, number)
        found = end_of(firm)
        if found != expected:
            different[number] = {
                what: value for what, value in found.items() if value != expected[what]
            }
    print(f"{boundaries} boundaries")
    for number, what in different.items():
        print(
            f"death at boundary {number}:",
            {name: (value, expected[name]) for name, value in what.items()},
        )
    assert list(different) == []


def test_a_decision_whose_process_died_is_carried_out_by_one_that_runs(firm: World) -> None:
    """The pass over open writes at its start is long over, and no event repeats a decision."""

    def stop(*_: object) -> None:
        raise Crash

    firm.clear()
    decide, wait = decided(firm)
    firm.wait()
    firm.writer.before = stop
    with pytest.raises(Crash):
        decide()
    firm.writer.before = nothing
    wait()
    assert firm.rows(AJERA, "AxVec", "vecClientNotes") == ["Bob's"]
