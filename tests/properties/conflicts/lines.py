"""The lines of the simulated world's one entity: a line for each rule,
with a representation that loses something.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from pipeline.conflicts.forms import as_is, cut, number, trimmed, upper
from pipeline.conflicts.rules import (
    ColumnPair,
    Direction,
    Rule,
    Rules,
    Side,
    column,
)
from pipeline.model.event import Value

WIDTH = 4  # characters that DPS keeps of a text
PADDED = 6  # and pads to, as a fixed-width column does

RULES = Rules(
    pairs=(
        ColumnPair(
            "x",
            column("ax", trimmed),
            column("dx", trimmed),
            Rule.NEWEST,
            to_dps=cut(WIDTH),
        ),
        ColumnPair("n", column("an"), column("dn"), Rule.NEWEST, owner=Side.DPS),
        ColumnPair("y", column("ay"), column("dy"), Rule.AJERA, to_dps=number(2)),
        ColumnPair(
            "w",
            column("aw"),
            column("dw", trimmed),
            Rule.DPS,
            to_dps=cut(WIDTH),
        ),
        ColumnPair(
            "z",
            column("az"),
            column("dz", trimmed),
            Rule.MANUAL,
            to_dps=upper,
        ),
        ColumnPair("k", column("ak"), column("dk"), Rule.CREATE_ONLY),
        ColumnPair("p", column("ap"), column("dp"), Rule.NEWEST, Direction.TO_AJERA),
    ),
    clock_tolerance=timedelta(seconds=1),
    look_window=timedelta(seconds=5),
)
NAMES = tuple(pair.name for pair in RULES.pairs)
CONVERT = {"x": cut(WIDTH), "w": cut(WIDTH), "y": number(2), "z": upper}


def stored(side: Side, name: str, value: Value) -> Value:
    """What a database makes of a value by itself: DPS pads texts and keeps four decimals."""
    if side is Side.AJERA:
        return value
    if name in ("x", "w", "z") and isinstance(value, str):
        return value.ljust(PADDED)
    if name == "y" and isinstance(value, Decimal):
        return value.quantize(Decimal("0.0001"))
    return value


def typeable(side: Side, name: str, value: Value) -> Value:
    """What a person's typing becomes on that side's screen: no longer, no finer,
    no other case than it stores.
    """
    return CONVERT.get(name, as_is)(value) if side is Side.DPS else value
