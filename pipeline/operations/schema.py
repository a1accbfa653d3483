"""The versions of our own schemas: `sync` in the PIM database, and, where the exchange is configured, those in DPS and Ajera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from pipeline.config import Settings
from pipeline.database import migrate
from pipeline.database.migrate import Part
from pipeline.wiring import ajera_engine, dps_engine, pim_engine


@dataclass(frozen=True, slots=True)
class Versions:
    """Found in the database (None: there is none; of `upgrade`, before it), and needed by this program."""

    database: Part
    schema: str
    found: str | None
    needed: str


Look = Callable[[Engine, str, Part], Versions]


def show(settings: Settings) -> list[Versions]:
    """Raises TargetBusy."""
    return _each(settings, lambda engine, s, part: Versions(part, s, migrate.current(engine, s), migrate.latest(part)))


def upgrade(settings: Settings, report: Callable[[str], None]) -> list[Versions]:
    """Raises TargetBusy, TargetRefused."""
    return _each(settings, lambda engine, s, part: Versions(part, s, *migrate.upgrade(engine, s, report, part)))


def _each(settings: Settings, look: Look) -> list[Versions]:
    wanted: list[tuple[Part, str, Callable[[Settings], Engine]]] = [("pim", settings.pim.sync_schema, pim_engine)]
    if settings.dps is not None:
        wanted.append(("dps", settings.dps.sync_schema, dps_engine))
        wanted.append(("ajera", settings.ajera.own_schema, ajera_engine))
    found = []
    for part, schema, engine_of in wanted:
        engine = engine_of(settings)
        try:
            found.append(look(engine, schema, part))
        finally:
            engine.dispose()
    return found
