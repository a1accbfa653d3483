"""Employees and consultants who go to DPS once they have time on a linked project."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from pipeline.conflicts.rules import Side
from pipeline.engine.consumer.ports import Clock
from pipeline.engine.exchange.ports import Pairs
from pipeline.engine.exchange.unit_of_work import (
    ExchangeConfig,
    UnitOfWork,
    WorkItem,
)
from pipeline.model.event import Row
from pipeline.pairing.entity import Entity, Lists, TimeColumns
from pipeline.pairing.rows import Rows

LEVELS = 6  # of phases below a project, at most
PROJECT = "project"
LinkedProjects = Callable[[Collection[str]], set[str]]  # of these keys those that are linked


def open_rows(
    unit: UnitOfWork,
    entity: Entity,
    side: Side,
    rows: Mapping[str, Row],
    lists: Lists,
) -> dict[str, Row]:
    """Those that are of the entity's kind and may be linked."""
    entity_side = entity.side(side)
    found = {key: row for key, row in rows.items() if entity_side.is_open(row, lists)}
    if entity_side.time is None:
        return found
    among = with_time(
        unit.of(side),
        lambda keys: unit.linked_among(PROJECT, side, keys),
        entity,
        found,
    )
    return {key: row for key, row in found.items() if key in among}


def with_time(
    ajera: Rows,
    linked: LinkedProjects,
    entity: Entity,
    keys: Collection[str],
) -> set[str]:
    """Those that have time on a linked project or on one of its phases;
    all of them where nobody is chosen by that.
    """
    time, table = entity.ajera.time, entity.ajera.table
    if time is None or not keys:
        return set(keys)
    people = [table.key_values(key)[0] for key in keys]
    columns = (time.person, time.project, time.is_deleted, time.is_current)
    entries = ajera.distinct(time.entries, columns, time.person, people)
    charged = {
        (person, str(on))
        for person, on, deleted, current in entries
        if on and not deleted and current
    }
    counting = _on_linked(ajera, linked, time, {on for _, on in charged})
    return {table.key_text((person,)) for person, on in charged if on in counting}


def _on_linked(
    ajera: Rows,
    linked: LinkedProjects,
    time: TimeColumns,
    charged: set[str],
) -> set[str]:
    """Those projects and phases that are linked, or belong to a project that is."""
    table = time.projects
    (key_column,) = table.key
    above = {key: key for key in charged}  # by what is charged, how far up we have come
    found: set[str] = set()
    for _ in range(LEVELS + 1):
        on = linked(sorted(set(above.values()))) if above else set()
        found |= {key for key, place in above.items() if place in on}
        above = {key: place for key, place in above.items() if key not in found}
        if not above:
            break
        places = [table.key_values(place)[0] for place in sorted(set(above.values()))]
        owned = ajera.distinct(table, (key_column, time.owner), key_column, places)
        owners = {str(place): str(owner) for place, owner in owned if owner and owner != place}
        above = {key: owners[place] for key, place in above.items() if place in owners}
    return found


class Latecomers:
    """Finds those who have time by now. A time entry is no event of ours,
    so they are looked for now and then.
    """

    def __init__(self, setup: ExchangeConfig, pairs: Pairs, clock: Clock) -> None:
        self._setup = setup
        self._pairs = pairs
        self._clock = clock
        self._entities = [one for one in setup.entities if one.ajera.time is not None]
        self._looked_at: float | None = None

    def due(self, seconds: float) -> list[WorkItem]:
        """Rows that may begin now; nothing before so much time has passed since we looked last."""
        now = self._clock.monotonic()
        if not self._entities or (self._looked_at is not None and now - self._looked_at < seconds):
            return []
        items = [item for entity in self._entities for item in self._of(entity)]
        self._looked_at = now
        return items

    def _of(self, entity: Entity) -> list[WorkItem]:
        entity_side, side = entity.ajera, Side.AJERA
        with (
            self._pairs.transaction() as links,
            self._pairs.ajera() as ajera,
        ):
            keys = everybody(ajera.rows, entity)
            keys -= links.linked_among(entity.name, side, sorted(keys))
            keys = with_time(
                ajera.rows,
                lambda on: links.linked_among(PROJECT, side, sorted(on)),
                entity,
                keys,
            )
            rows, lists = (
                ajera.rows.read(entity_side.table, sorted(keys)),
                ajera.rows.lists(self._setup.lists),
            )
        wanted = sorted(
            key
            for key, row in rows.items()
            if entity_side.is_open(row, lists) and entity_side.is_flagged(row)
        )
        return [WorkItem(side, entity_side.table.name, key, entity=entity.name) for key in wanted]


def everybody(ajera: Rows, entity: Entity) -> set[str]:
    """The keys of all rows that carry the flag of those who are chosen by their time."""
    time, table = entity.ajera.time, entity.ajera.table
    if time is None:
        raise ValueError(f"{entity.name}: nobody is chosen by time")
    return {table.key_text(key) for key in ajera.distinct(table, table.key, time.flag, [True])}
