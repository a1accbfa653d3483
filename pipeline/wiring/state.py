"""Where a route keeps its state: the schema `sync` of its target's database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pipeline.config.settings import Settings
from pipeline.domain.routes import AnyRoute
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.route import Route
from pipeline.wiring.clients import ajera_engine, dps_engine, target_engine

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from pipeline.database.state.migrate import Part


@dataclass(frozen=True)
class State:
    """A schema of ours in one database. `connect` makes an engine, which its user disposes of."""

    database: str  # as our words call it: a route or a source
    part: Part
    schema: str
    connect: Callable[[], Engine]
    mirrored: tuple[MirroredTable, ...] = ()

    @contextmanager
    def opened(self, *, is_looked_at: bool = False) -> Iterator[Engine]:
        """`is_looked_at`: somebody waits for the answer. Raises SyncSchemaOutdated, TargetBusy."""
        engine = self.connect()
        if is_looked_at:
            from pipeline.database.sql.engine import impatient

            impatient(engine)
        try:
            self.require_latest(engine)
            yield engine
        finally:
            engine.dispose()

    def require_latest(self, engine: Engine) -> None:
        """Raises SyncSchemaOutdated unless the schema is at this program's version."""
        from pipeline.database.state.migrate import require_latest

        require_latest(engine, self.schema, self.part, self.mirrored)


def state_of(settings: Settings, route: AnyRoute) -> State:
    """Raises ConfigurationInvalid where the route is not configured."""
    schema = settings.routes.section(route).sync_schema
    if isinstance(route, Route):
        connect = partial(target_engine, settings, route)
        return State(route.name, "projection", schema, connect, route.sources)
    return State(route.name, "dps", schema, partial(dps_engine, settings))


def states_of(settings: Settings) -> tuple[State, ...]:
    """Every schema of ours: those of the configured routes, and where rows are exchanged
    our one table in Ajera.
    """
    found = [state_of(settings, route) for route in settings.routes.configured]
    if settings.routes.exchange is not None:
        schema = settings.ajera.sync_schema
        found.append(State("ajera", "ajera", schema, partial(ajera_engine, settings)))
    return tuple(found)
