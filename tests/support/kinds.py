"""The kinds of rows that are exchanged by a firm that has chosen nothing but what a test says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from pipeline.conflicts.rules import Rule
from pipeline.domain.choice import EVERYBODY
from pipeline.domain.exchange import entities
from pipeline.domain.status import StatusCoding
from pipeline.pairing.entity import Entity


def kinds_of(
    *,
    two_way: bool = True,
    rules: Mapping[str, Rule] | None = None,
    status: StatusCoding = StatusCoding.ONE_IS_ACTIVE,
) -> tuple[Entity, ...]:
    """No two edits are simultaneous. Raises what `entities` raises."""
    return entities(
        two_way=two_way,
        rules=dict(rules or {}),
        clock_tolerance=timedelta(0),
        status=status,
        choices=EVERYBODY,
    )
