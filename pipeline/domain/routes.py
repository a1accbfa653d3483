"""The routes: which source goes to which target by which mappings. The whole system on one screen.

A system's connector captures what the configured routes read of it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.domain import (
    accounting,
    accounting_mirror,
    accounting_tables,
    exchange,
    exchange_tables,
    pim,
    pim_mirror,
)
from pipeline.mapping.route import Route
from pipeline.mapping.source import SourceTable, union
from pipeline.pairing.route import ExchangeRoute

AnyRoute = Route | ExchangeRoute
Routes = tuple[AnyRoute, ...]

AJERA_TO_PIM = Route(
    name="pim",
    title="Ajera to PIM",
    source_system="ajera",
    target_system="PIM",
    sources=pim_mirror.MIRRORED,
    targets=pim.TARGET_TABLES,
    mappings=pim.MAPPINGS,
    rests_on=pim.RESTS_ON,
    assumed=pim.ASSUMED,
    note=pim.NOTE,
)

AJERA_AND_DPS = ExchangeRoute(
    name="dps",
    title="Ajera <-> DPS",
    ajera=exchange_tables.AJERA_TABLES,
    dps=exchange_tables.DPS_TABLES,
    created_in_ajera=exchange_tables.CREATED_IN_AJERA,
    entities=exchange.ENTITIES,
    lists=exchange_tables.CODE_LISTS,
)

ACCOUNTING = Route(
    name="accounting",
    title="Ajera to DPS, accounting",
    source_system="ajera",
    target_system="DPS",
    sources=accounting_mirror.MIRRORED,
    targets=accounting_tables.TARGET_TABLES,
    mappings=accounting.MAPPINGS,
    rests_on=accounting.RESTS_ON,
    note=accounting.NOTE,
    observed=accounting_tables.OBSERVED,
    into="dps",
    since=accounting.SINCE,
    offered=accounting.tabs,
)

ROUTES: Routes = (AJERA_TO_PIM, AJERA_AND_DPS, ACCOUNTING)


def captured(system: str, routes: Iterable[AnyRoute]) -> tuple[SourceTable, ...]:
    """What is captured of a system for these routes: each table that one of them reads, with the
    columns that any of them picks.
    """
    return union(*(route.reads.get(system, ()) for route in routes))
