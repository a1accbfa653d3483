"""Rows that belong to others: an address to its firm, a client to its project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.unit_of_work import (
    ExchangeConfig,
    UnitOfWork,
    WorkItem,
)
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Row, Value
from pipeline.pairing.entity import Entity

Keys = dict[tuple[Side, str], set[str]]  # of rows, by side and table


def parent_key(setup: ExchangeConfig, entity: Entity, side: Side, row: Row) -> str | None:
    """The key of the row that this one belongs to, on the same side; None if it names none."""
    if entity.parent is None:
        return None
    values = [row[name] for name in entity.side(side).parent]
    if any(value in (None, 0) for value in values):
        return None
    return setup.entity(entity.parent).side(side).table.key_text(values)


def parent_in_key(setup: ExchangeConfig, entity: Entity, side: Side, key: str) -> str | None:
    """The key of the row that a row of this key belongs to, on the same side;
    None if its own key does not hold it.
    """
    if entity.parent is None:
        return None
    entity_side = entity.side(side)
    table, parent = entity_side.table, entity_side.parent
    if parent == table.key:
        return key
    if not set(parent) <= set(table.key):
        return None
    values = dict(zip(table.key, table.key_values(key), strict=True))
    return setup.entity(entity.parent).side(side).table.key_text([values[name] for name in parent])


def parent_followed(
    setup: ExchangeConfig, entity: Entity, side: Side, key: str
) -> tuple[Entity, str] | None:
    """The row, with its entity, that this one belongs to, if its own key tells."""
    if entity.parent is None:
        return None
    parent = parent_in_key(setup, entity, side, key)
    return None if parent is None else (setup.entity(entity.parent), parent)


def parent_of(
    setup: ExchangeConfig,
    unit: UnitOfWork,
    entity: Entity,
    to: Side,
    row: Row,
) -> tuple[Value, ...] | None:
    """The key values, on side `to`, of what a row of the other side belongs to; () if to nothing,
    None if it is not linked.
    """
    if entity.parent is None:
        return ()
    return parents_of(setup, unit, entity, to, {"": row}).get("")


def parents_of(
    setup: ExchangeConfig,
    unit: UnitOfWork,
    entity: Entity,
    to: Side,
    rows: Mapping[str, Row],
) -> dict[str, tuple[Value, ...]]:
    """The same for many rows by key, those whose parent is linked."""
    if entity.parent is None:
        return {}
    keys = {
        key: parent
        for key, row in rows.items()
        if (parent := parent_key(setup, entity, to.other, row)) is not None
    }
    others = unit.links_of.counterparts(entity.parent, to.other, list(keys.values()))
    table = setup.entity(entity.parent).side(to).table
    return {
        key: table.key_values(others[parent]) for key, parent in keys.items() if parent in others
    }


def in_order(table: SourceTable, keys: Iterable[str]) -> list[str]:
    """Keys in the order of their values: numbers as numbers."""
    return sorted(keys, key=table.key_values)


def keys_of(setup: ExchangeConfig, items: Iterable[WorkItem]) -> tuple[Keys, Keys]:
    """The rows of all items, and those that they are exchanged with only, by side and table."""
    own, followed = Keys(), Keys()
    for item in items:
        if item.link is None:
            own.setdefault((item.side, item.table), set()).add(item.key)
            parents = [parent_followed(setup, e, item.side, item.key) for e in setup.of(item)]
            for of, key in filter(None, parents):
                followed.setdefault((item.side, of.side(item.side).table.name), set()).add(key)
    return own, {
        place: rest for place, keys in followed.items() if (rest := keys - own.get(place, set()))
    }
