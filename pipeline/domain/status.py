"""What a status in Ajera means in DPS, by each coding that the sources name (assumption 34)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum

from pipeline.conflicts.forms import Convert
from pipeline.conflicts.rules import ColumnPair, Direction, Rule, Rules, Side
from pipeline.model.event import Value

CLOSED, MARKETING = 5, 6  # prjStatus, evidence.md 3.2
LINE = "status"  # what the line is called in every entity that has one


class StatusCoding(StrEnum):
    """Which value of vecStatus and cntStatus is an active row; NONE: unknown, none is written."""

    NONE = "none"
    ONE_IS_ACTIVE = "one_is_active"  # GH-CNV, evidence.md 4.3
    ZERO_IS_ACTIVE = "zero_is_active"  # GH-HYB, evidence.md 3.3


ACTIVE: Mapping[StatusCoding, int] = {StatusCoding.ONE_IS_ACTIVE: 1, StatusCoding.ZERO_IS_ACTIVE: 0}


def is_active(value: Value, coding: StatusCoding) -> bool:
    """A row without a status is active too."""
    return value is None or value == ACTIVE[coding]


def project_status(value: Value) -> Value:
    """Hold is dormant, Closed inactive, everything else active (evidence.md 4.3; assumption 35)."""
    return "D" if value in (2, 3, 4) else "I" if value == CLOSED else "A"


def _letter(inactive: str) -> Callable[[StatusCoding], Convert]:
    return lambda coding: lambda value: "A" if is_active(value, coding) else inactive


IN_DPS: Mapping[str, Callable[[StatusCoding], Convert]] = {  # by entity
    "firm": _letter("D"),
    "contact": _letter("I"),
    "vendor": _letter("D"),
    "project": lambda _: project_status,
}


def with_status(entity: str, rules: Rules, coding: StatusCoding) -> Rules:
    """The same lines, the status converted by the coding; without one it is never written."""
    if entity not in IN_DPS:
        return rules
    return replace(
        rules,
        pairs=tuple(
            _coded(pair, entity, coding) if pair.name == LINE else pair for pair in rules.pairs
        ),
    )


def _coded(pair: ColumnPair, entity: str, coding: StatusCoding) -> ColumnPair:
    if coding is StatusCoding.NONE:
        return replace(pair, rule=Rule.CREATE_ONLY, direction=Direction.NEITHER)
    return replace(pair, to_dps=IN_DPS[entity](coding), can_translate=_is_said_in)


def _is_said_in(_: Value, to: Side) -> bool:
    """Several of Ajera's codes are one of DPS's, so none of DPS's says which."""
    return to is Side.DPS
