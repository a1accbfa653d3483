"""The version of the `sync` schema in the target database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.config import Settings
from pipeline.database import migrate
from pipeline.wiring import pim_engine


@dataclass(frozen=True, slots=True)
class Versions:
    """Found in the database (None: there is none; of `upgrade`, before it), and needed by this program."""

    schema: str
    found: str | None
    needed: str


def show(settings: Settings) -> Versions:
    """Raises TargetBusy."""
    engine = pim_engine(settings)
    try:
        return Versions(settings.pim.sync_schema, migrate.current(engine, settings.pim.sync_schema), migrate.latest())
    finally:
        engine.dispose()


def upgrade(settings: Settings, report: Callable[[str], None]) -> Versions:
    """Raises TargetBusy, TargetRefused."""
    engine = pim_engine(settings)
    try:
        before, after = migrate.upgrade(engine, settings.pim.sync_schema, report)
        return Versions(settings.pim.sync_schema, before, after)
    finally:
        engine.dispose()
