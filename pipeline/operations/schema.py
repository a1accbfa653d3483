"""The versions of our own schemas: `sync` in the PIM database, and,
where the exchange is configured, those in DPS and Ajera.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from pipeline.config.settings import Settings
from pipeline.database.state import migrate
from pipeline.database.state.migrate import Part
from pipeline.wiring.clients import ajera_engine
from pipeline.wiring.route import routes_of
from pipeline.wiring.state import State


@dataclass(frozen=True, slots=True)
class Versions:
    """Found in the database (None: there is none; of `upgrade`, before it),
    and needed by this program.
    """

    database: Part
    schema: str
    found: str | None
    needed: str


Look = Callable[[Engine, str, Part], Versions]


def show(settings: Settings) -> list[Versions]:
    """Raises TargetBusy."""
    return _each(
        settings,
        lambda engine, s, part: Versions(part, s, migrate.current(engine, s), migrate.latest(part)),
    )


def upgrade(settings: Settings, report: Callable[[str], None]) -> list[Versions]:
    """Raises TargetBusy, TargetRefused."""
    return _each(
        settings,
        lambda engine, s, part: Versions(part, s, *migrate.upgrade(engine, s, report, part)),
    )


def _each(settings: Settings, look: Look) -> list[Versions]:
    wanted = [route.state for route in routes_of(settings)]
    if settings.routes.dps is not None:
        wanted.append(
            State(
                "ajera",
                settings.ajera.sync_schema,
                lambda: ajera_engine(settings),
            )
        )
    found = []
    for state in wanted:
        engine = state.connect()
        try:
            found.append(look(engine, state.schema, state.part))
        finally:
            engine.dispose()
    return found
