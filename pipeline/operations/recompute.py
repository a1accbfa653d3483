"""Applying this release's maps to rows that are there: after a rollback, or a rolling restart."""

from __future__ import annotations

from importlib.metadata import version

from pipeline.config.settings import Settings
from pipeline.engine.projection.remapping import Remapped, remap
from pipeline.wiring.clients import SystemClock
from pipeline.wiring.projection import keeper, route_of


def recompute(settings: Settings, *, is_whole: bool) -> Remapped:
    """Mark the rows of every map, or of each that is not as it was applied last, by whichever release.

    Raises ConfigurationInvalid, SyncSchemaOutdated, TargetBusy.
    """
    with keeper(settings) as target, target.transaction() as transaction:
        return remap(
            transaction,
            route_of(settings),
            settings.site,
            version("ajera-cdc"),
            SystemClock().now(),
            is_rollback=True,
            is_whole=is_whole,
        )
