"""The versions of our own schemas: `sync` in the database of each route, and,
where rows are exchanged, our table in Ajera.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from pipeline.config.settings import Settings
from pipeline.database.state import migrate
from pipeline.wiring.state import State, states_of


@dataclass(frozen=True, slots=True)
class Versions:
    """Found in the database (None: there is none; of `upgrade`, before it),
    and needed by this program.
    """

    database: str
    schema: str
    found: str | None
    needed: str


Look = Callable[[Engine, State], tuple[str | None, str]]


def show(settings: Settings) -> list[Versions]:
    """Raises TargetBusy."""
    return _each(
        settings,
        lambda engine, one: (
            migrate.current(engine, one.schema),
            migrate.latest(one.part),
        ),
    )


def upgrade(settings: Settings, report: Callable[[str], None]) -> list[Versions]:
    """Raises TargetBusy, TargetRefused."""
    return _each(
        settings,
        lambda engine, one: migrate.upgrade(engine, one.schema, report, one.part, one.mirrored),
    )


def _each(settings: Settings, look: Look) -> list[Versions]:
    found = []
    for state in states_of(settings):
        engine = state.connect()
        try:
            found.append(Versions(state.database, state.schema, *look(engine, state)))
        finally:
            engine.dispose()
    return found
