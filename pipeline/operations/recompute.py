"""Applying this release's maps to rows that are there: after a rollback, or a rolling restart."""

from __future__ import annotations

from importlib.metadata import version

from pipeline.config.settings import Settings
from pipeline.engine.projection.remapping import Remapped, remap
from pipeline.wiring.clients import SystemClock
from pipeline.wiring.offered import switched_on
from pipeline.wiring.projection import keeper
from pipeline.wiring.route import projection_named


def recompute(settings: Settings, name: str | None, *, is_whole: bool) -> Remapped:
    """Mark the rows of every map, or of each that is not as it was applied last, by whichever
    release.

    `name`: of the projection, None for the only one.
    Raises ConfigurationInvalid, SyncSchemaOutdated, TargetBusy.
    """
    route = projection_named(settings, name)
    with (
        keeper(route, settings) as target,
        target.transaction() as transaction,
    ):
        return remap(
            transaction,
            switched_on(settings, route),
            settings.site,
            version("ajera-cdc"),
            SystemClock().now(),
            is_rollback=True,
            is_whole=is_whole,
        )
