"""Carrying writes out on one side: compare-and-set under lock, line by line; rows created;
and what they hold then, read back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline.conflicts import settle
from pipeline.conflicts.decision import (
    Applied,
    KeyTaken,
    RowGone,
    WriteOutcome,
)
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.unit_of_work import PlannedWrite
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Row, Value
from pipeline.model.outcome import RowCounts
from pipeline.pairing.entity import Lists, NewRow
from pipeline.pairing.rows import Rows


@dataclass
class Carried:
    """Outcomes by intention, and rows counted by table."""

    outcomes: dict[str, WriteOutcome] = field(default_factory=dict)
    counts: dict[str, RowCounts] = field(default_factory=dict)

    def count(self, table: str, counts: RowCounts) -> None:
        self.counts[table] = self.counts.get(table, RowCounts()) + counts


def apply_writes(rows: Rows, side: Side, planned: Sequence[PlannedWrite], epoch: int) -> Carried:
    """Make these writes in the transaction of `rows`, tables in the order of their entities."""
    carried = Carried()
    written: dict[
        str, tuple[PlannedWrite, str, tuple[str, ...]]
    ] = {}  # intention -> write, key, lines
    tables = {one.entity.side(side).table.name: one.entity.side(side).table for one in planned}
    for name, table in tables.items():
        of_table = [one for one in planned if one.entity.side(side).table.name == name]
        written |= _change(
            rows,
            side,
            table,
            [one for one in of_table if one.write.key is not None],
            carried,
        )
        written |= _create(
            rows,
            side,
            table,
            [one for one in of_table if one.write.key is None],
            carried,
        )
    if written:
        _read_back(rows, side, written, epoch, carried)
    return carried


Written = dict[str, tuple[PlannedWrite, str, tuple[str, ...]]]


def _change(
    rows: Rows,
    side: Side,
    table: SourceTable,
    planned: Sequence[PlannedWrite],
    carried: Carried,
) -> Written:
    keys = [one.write.key for one in planned if one.write.key is not None]
    held = rows.read(table, keys, lock=True) if keys else {}
    at = rows.clock() if keys else None
    written: Written = {}
    changes: dict[str, dict[str, Value]] = {}
    for one in planned:
        write, key = one.write, one.write.key
        if key is None or at is None:
            continue
        if key not in held:
            carried.outcomes[write.intention] = RowGone(write.number, at)
            continue
        rules = one.entity.rules
        is_of_kind = one.entity.side(side).belongs(
            held[key], Lists()
        )  # a former primary address is not written
        values = settle.applicable(write, held[key], rules) if is_of_kind else {}
        if not values:
            carried.outcomes[write.intention] = Applied(write.number, {}, None, at)
            continue
        changes.setdefault(key, {}).update(rules.written(side, values, held[key]))
        written[write.intention] = one, key, tuple(values)
    if changes:
        rows.update(table, changes)
        carried.count(table.name, RowCounts(changed=len(changes)))
    return written


def _create(
    rows: Rows,
    side: Side,
    table: SourceTable,
    planned: Sequence[PlannedWrite],
    carried: Carried,
) -> Written:
    written: Written = {}
    new = [(one, one.new) for one in planned if one.new is not None]
    made = rows.insert(table, [row for _, row in new]) if new else []
    for (one, _), key in zip(new, made, strict=True):
        if key is None:
            carried.outcomes[one.write.intention] = KeyTaken(one.write.number, rows.clock())
        else:
            written[one.write.intention] = one, key, ()
            carried.count(table.name, RowCounts(created=1))
    return written


def _read_back(rows: Rows, side: Side, written: Written, epoch: int, carried: Carried) -> None:
    """What the rows hold now, as the database stored it,
    with its clock and the log position after the writes.
    """
    part, at = rows.log_position(), rows.clock()
    after = None if part is None or epoch == 0 else f"{epoch:08x}{part}"
    tables = {
        one.entity.side(side).table.name: one.entity.side(side).table
        for one, _, _ in written.values()
    }
    held: dict[tuple[str, str], Row] = {}
    for name, table in tables.items():
        keys = [key for one, key, _ in written.values() if one.entity.side(side).table.name == name]
        held |= {(name, key): row for key, row in rows.read(table, keys).items()}
    for intention, (one, key, lines) in written.items():
        row, rules = held[one.entity.side(side).table.name, key], one.entity.rules
        is_new = one.write.key is None
        kept = rules.observed(side, row) if is_new else rules.lines_observed(side, row, lines)
        created = key if is_new else None
        carried.outcomes[intention] = Applied(one.write.number, kept, after, at, created, epoch)


def new_row(
    planned: PlannedWrite,
    side: Side,
    key: tuple[Value, ...] | None,
    parent: tuple[Value, ...],
) -> PlannedWrite:
    """The write with the row that it creates: the constants of its entity, its lines,
    and what it belongs to.
    """
    entity_side = planned.entity.side(side)
    columns = {
        **entity_side.constants,
        **planned.entity.rules.written(side, planned.write.values),
        **dict(zip(entity_side.parent, parent, strict=True)),
    }
    return replace(planned, new=NewRow(key, columns))
