"""The marks by which rows of one name are told apart: lines of the row itself,
or of what belongs to it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pipeline.conflicts.forms import folded
from pipeline.conflicts.namesakes import told_apart
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.parents import in_order
from pipeline.engine.exchange.unit_of_work import ExchangeConfig, UnitOfWork
from pipeline.model.event import Row
from pipeline.pairing.entity import Entity, Lists

Rows = Mapping[str, Row]
ByName = Mapping[str, Collection[str]]


def pairs_of(
    setup: ExchangeConfig,
    unit: UnitOfWork,
    entity: Entity,
    lists: Lists,
    names: Mapping[Side, Mapping[str, Rows]],
    side: Side,
) -> dict[str, str]:
    """Pairs among rows of one name, key on `side` to key on the other; `names`:
    by side and name the rows.

    Where one row meets one, the name suffices, and no mark is asked for.
    """
    several = [
        name
        for name, own in names[side].items()
        if (other := names[side.other].get(name)) and len(own) + len(other) > 2
    ]
    if not several or not entity.told_apart_by:
        return {}
    marks = {
        each: _marks(
            setup,
            unit,
            entity,
            each,
            lists,
            [names[each][name] for name in several],
        )
        for each in Side
    }
    found: dict[str, str] = {}
    for name in several:
        groups = {each: {key: marks[each][key] for key in names[each][name]} for each in Side}
        found |= told_apart(groups[side], groups[side.other])
    return found


def _marks(
    setup: ExchangeConfig,
    unit: UnitOfWork,
    entity: Entity,
    side: Side,
    lists: Lists,
    groups: Sequence[Rows],
) -> dict[str, dict[str, str]]:
    """By key the marks that are not blank, in the form that DPS would hold."""
    rows = {key: row for group in groups for key, row in group.items()}
    found: dict[str, dict[str, str]] = {key: {} for key in rows}
    for name in entity.told_apart_by:
        of, _, line = name.rpartition(".")
        if of and of not in setup.names:
            continue  # below 8.09 there is no such entity
        holder = setup.entity(of) if of else entity
        held = _belonging(unit, entity, holder, side, lists, list(rows)) if of else rows
        pair = holder.rules.by_name[line]
        for key, row in held.items():
            value = pair.field(side).read(row)
            mark = pair.to_dps(value) if side is Side.AJERA else value
            if mark is not None:
                found[key][name] = folded(str(mark))
    return found


def _belonging(
    unit: UnitOfWork,
    entity: Entity,
    child: Entity,
    side: Side,
    lists: Lists,
    keys: Sequence[str],
) -> dict[str, Row]:
    """By key of a row the first row of `child` that belongs to it."""
    entity_side, table = child.side(side), entity.side(side).table
    rows = unit.of(side).having(
        entity_side.table,
        entity_side.parent,
        [table.key_values(key) for key in keys],
    )
    found: dict[str, Row] = {}
    for key in in_order(
        entity_side.table,
        (one for one, row in rows.items() if entity_side.belongs(row, lists)),
    ):
        found.setdefault(
            table.key_text([rows[key][name] for name in entity_side.parent]),
            rows[key],
        )
    return found
