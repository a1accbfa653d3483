"""What a row is called, in the one form in which both sides' names are compared:
as DPS would hold it.

DPS cuts names and has a full stop where there is no last name:
only there do two rows that we made of each other look the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.conflicts.forms import folded, trimmed
from pipeline.conflicts.rules import Side
from pipeline.model.event import Row, Value
from pipeline.pairing.entity import Entity

PARTS = "\x00"  # between the parts of a name: no text holds it


def name_of(entity: Entity, side: Side, row: Row) -> str:
    """The name as it is compared, "" for a row without one, or of a kind that has none."""
    parts = _in_ajera(entity, side, row)
    if not any(parts.values()):
        return ""
    return PARTS.join(folded(str(value or "")) for value in parts.values())


def searched_for(entity: Entity, side: Side, rows: Iterable[Row]) -> Mapping[str, list[str]]:
    """Line -> texts: who has the name of one of these rows has one of these texts in that line,
    on either side.
    """
    found: dict[str, list[str]] = {}
    for row in rows:
        parts = _in_ajera(entity, side, row)
        line = next((name for name in reversed(parts) if parts[name]), None)
        if line is not None:
            found.setdefault(line, []).append(_in_dps(entity, line, parts[line]))
    return found


def _in_ajera(entity: Entity, side: Side, row: Row) -> dict[str, Value]:
    """The lines of the name as DPS would hold them and give them back: a missing part is blank."""
    found: dict[str, Value] = {}
    for name in entity.named_by:
        pair = entity.rules.by_name[name]
        value = trimmed(pair.field(side).read(row))
        found[name] = pair.to_ajera(pair.to_dps(value))
    return found


def _in_dps(entity: Entity, line: str, value: Value) -> str:
    return str(entity.rules.by_name[line].to_dps(value) or "")
