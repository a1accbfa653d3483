"""Whether those who are chosen by their time can be, and how many they are."""

from __future__ import annotations

from pipeline.conflicts.rules import Side
from pipeline.domain.choice import EMPLOYEES
from pipeline.engine.exchange.ports import Pairs
from pipeline.engine.exchange.time_entries import (
    PROJECT,
    everybody,
    with_time,
)
from pipeline.engine.exchange.unit_of_work import ExchangeConfig
from pipeline.errors import PipelineError, TimeUnreadable


def require_time(setup: ExchangeConfig, pairs: Pairs) -> None:
    """Raises TimeUnreadable, where somebody is chosen by time,
    and what an unavailable database raises.
    """
    chosen_by_time(setup, pairs, are_counted=False)


def chosen_by_time(
    setup: ExchangeConfig, pairs: Pairs, *, are_counted: bool = True
) -> dict[str, int]:
    """By entity that is chosen from by time: how many rows have time on a linked project now.
    Raises as `require_time`.
    """
    found: dict[str, int] = {}
    for entity in setup.entities:
        if entity.ajera.time is None:
            continue
        with pairs.transaction() as links, pairs.ajera() as ajera:
            keys = everybody(ajera.rows, entity) if are_counted else {"0"}
            try:
                among = with_time(
                    ajera.rows,
                    lambda on: links.linked_among(PROJECT, Side.AJERA, sorted(on)),
                    entity,
                    keys or {"0"},
                )
            except PipelineError as error:
                if error.is_transient:
                    raise
                name = "employees" if entity.name == EMPLOYEES else "consultants"
                raise TimeUnreadable(f"routes.dps.{name} is on_linked_projects: {error}") from error
        found[entity.name] = len(among)
    return found
