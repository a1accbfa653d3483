"""What belongs to pairs that are linked: the rows that follow them."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.conflicts.link import Link
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.ports import Pairs
from pipeline.engine.exchange.unit_of_work import ExchangeConfig, WorkItem


def belonging(setup: ExchangeConfig, pairs: Pairs, linked: Sequence[Link]) -> list[WorkItem]:
    """The rows that belong to rows linked just now: they follow."""
    items: list[WorkItem] = []
    parents = [link for link in linked if setup.children(link.entity)]
    if not parents:
        return items
    with (
        pairs.transaction() as links,
        pairs.ajera() as ajera,
    ):
        rows = {Side.AJERA: ajera.rows, Side.DPS: links.rows}
        for entity in setup.entities:
            for side in Side:
                keys = [link.side(side).key for link in parents if link.entity == entity.parent]
                if entity.parent is None or not keys:
                    continue
                of = setup.entity(entity.parent).side(side).table
                values = [of.key_values(key) for key in keys if key is not None]
                entity_side = entity.side(side)
                found = rows[side].having(entity_side.table, entity_side.parent, values)
                items += [
                    WorkItem(side, entity_side.table.name, key, entity=entity.name)
                    for key in sorted(found)
                ]
    return items
