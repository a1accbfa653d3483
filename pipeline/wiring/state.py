"""Where a route keeps its state: the schema `sync` of its target's database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from pipeline.config.settings import Settings
from pipeline.database.state.migrate import Part, require_latest
from pipeline.wiring.clients import dps_engine, pim_engine


@dataclass(frozen=True)
class State:
    """A schema of ours in one database. `connect` makes an engine, which its user disposes of."""

    part: Part
    schema: str
    connect: Callable[[], Engine]

    @contextmanager
    def opened(self) -> Iterator[Engine]:
        """Raises SyncSchemaOutdated, TargetBusy."""
        engine = self.connect()
        try:
            require_latest(engine, self.schema, self.part)
            yield engine
        finally:
            engine.dispose()


def state_of_pim(settings: Settings) -> State:
    return State("pim", settings.to_pim.sync_schema, lambda: pim_engine(settings))


def state_of_dps(settings: Settings) -> State:
    return State("dps", settings.exchange.sync_schema, lambda: dps_engine(settings))


def states_of(settings: Settings, system: str) -> tuple[State, ...]:
    """The states of the configured routes that read this system."""
    found = []
    if settings.routes.pim is not None and system == "ajera":
        found.append(state_of_pim(settings))
    if settings.routes.dps is not None:
        found.append(state_of_dps(settings))
    return tuple(found)
