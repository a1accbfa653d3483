"""Rows that nobody ticked and that a row which is exchanged needs: the firm of a project."""

from __future__ import annotations

from dataclasses import replace

from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.unit_of_work import (
    WANTED,
    ExchangeConfig,
    UnitOfWork,
    WorkItem,
    row_id,
)
from pipeline.errors import ParkReason
from pipeline.pairing.entity import Lists, ParkedWork


def brought(setup: ExchangeConfig, unit: UnitOfWork, lists: Lists) -> list[WorkItem]:
    """What was parked for such a row begins with that row.
    One that cannot be exchanged at all is given as the reason.
    """
    items: list[WorkItem] = []
    for work in list(unit.parked.values()):
        entity = setup.entity(work.entity)
        if work.code != ParkReason.REFERENCE_MISSING or work.waits_for is None:
            continue
        of, side, key = _waited_for(work)
        if of not in {pair.through for pair in entity.rules.pairs if pair.name in entity.brings}:
            continue
        entity_side = setup.entity(of).side(side)
        row = unit.of(side).read(entity_side.table, [key]).get(key)
        if row is None or not entity_side.is_open(row, lists):
            code = ParkReason.NOT_A_CLIENT
            unit.parked[work.id] = replace(work, code=code, hint=code.hint)
        else:
            # Parked until all that follows of it is done:
            # no event would tell of it again after a crash.
            row_work = row_id(of, side, key)
            parked = ParkedWork(
                row_work,
                of,
                side,
                key,
                work.code,
                ParkReason.REFERENCE_MISSING.hint,
                None,
                WANTED,
            )
            unit.parked.setdefault(row_work, parked)
            item = WorkItem(
                side, entity_side.table.name, key, entity=of, is_parked=True, is_wanted=True
            )
            items.append(item)
    return items


def _waited_for(work: ParkedWork) -> tuple[str, Side, str]:
    entity, side, key = (work.waits_for or "").split("/", 2)
    return entity, Side(side), key
