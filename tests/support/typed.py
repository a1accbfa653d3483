"""The judge of what two systems came to: by what people typed, as both databases logged it,
never by what the engine believed.
"""

from __future__ import annotations

from pipeline.conflicts.conflict import Kind
from pipeline.conflicts.link import Link, State
from pipeline.conflicts.rules import Side
from pipeline.domain.dps import CLENDOR
from pipeline.domain.exchange_tables import AX_VEC
from pipeline.model.event import Operation, Row, Value
from tests.support.two_systems import AJERA, COLUMNS, TwoSystems
from tests.twins.people import PEOPLE


def faults(world: TwoSystems) -> list[str]:
    """What went wrong, in words; nothing if nothing did."""
    links = world.pairs.links()
    firms = [link for link in links if link.entity == "firm" and link.state is not State.ENDED]
    found: list[str] = []
    for side, table in ((AJERA, AX_VEC), (Side.DPS, CLENDOR)):
        linked, there = (
            sorted(str(link.side(side).key) for link in firms),
            sorted(world.keys(table)),
        )
        if linked != there:
            found.append(f"{side} has {there}, linked are {linked}")
    for link in links:
        found += _of_link(world, link)
    return found


def _of_link(world: TwoSystems, link: Link) -> list[str]:
    rows = {side: _row(world, link, side) for side in Side}
    if link.state is not State.LINKED or None in rows.values():
        return [f"{link.entity} {link.ajera.key}/{link.dps.key} is {link.state}"]
    first = {
        one.column
        for one in world.pairs.conflicts()
        if one.link == link.id and one.kind is Kind.FIRST_LINK
    }
    found = []
    for line in ["city"] if link.entity == "firm_address" else ["name", "website", "notes"]:
        name = f"{line} of {link.ajera.key}/{link.dps.key}"
        here, there = ((rows[side] or {})[COLUMNS[line][side is Side.DPS]] for side in Side)
        parked = link.parked.get(line)
        if parked is None and here != there:
            found.append(f"{name}: {here} and {there}")
        if parked is not None and line not in {"notes", *first}:
            found.append(f"{name} is parked")
        typed = _typed(world, link, line)
        held = {here, there} | (set() if parked is None else {parked.ajera, parked.dps})
        if typed and line not in first and typed[-1] not in held:
            found.append(f"{name}: {typed[-1]} is lost, {held} is there")
    return found


def _row(world: TwoSystems, link: Link, side: Side) -> Row | None:
    link_side, database = link.side(side), world.people[side].database
    table = database.described[link_side.table].source
    keyed = {
        table.key_text([row[c.name] for c in table.key_columns]): row
        for row in database.rows(link_side.table)
    }
    return keyed.get(str(link_side.key))


def _typed(world: TwoSystems, link: Link, line: str) -> list[Value]:
    """What people typed into a line on either side, in the order of their commits."""
    typed = []
    for side in Side:
        link_side, column = link.side(side), COLUMNS[line][side is Side.DPS]
        typed += [
            (change.at, change.row[column])
            for change in world.people[side].database.log
            if (change.who, change.table.name, change.operation)
            == (PEOPLE, link_side.table, Operation.UPDATE)
            and change.table.key_text([change.row[c.name] for c in change.table.key_columns])
            == link_side.key
            and change.row[column] != change.was[column]
        ]
    return [value for _, value in sorted(typed, key=lambda pair: pair[0])]
