"""Parked work of the exchange, as `link` and `conflicts` show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cli.drawing import Drawn, Group, Text
from pipeline.cli.output import columns

if TYPE_CHECKING:
    from pipeline.pairing.entity import ParkedWork

SHOWN = 20


def further(count: int) -> list[Drawn]:
    return [Text(f"and {count - SHOWN:,} more: --json shows all.")] if count > SHOWN else []


def parked_table(parked: tuple[ParkedWork, ...]) -> Drawn:
    if not parked:
        return Text("Nothing is parked.")
    table = columns("parked", "side", "key", "why", "what to do")
    for one in parked[:SHOWN]:
        table.add_row(one.entity, one.side, one.key, one.code, one.hint)
    return Group(table, *further(len(parked)))
