"""What each coding of Ajera's statuses makes of the rows:
one chooses `routes.dps.status_coding` by it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import Engine

from pipeline.config.settings import Settings
from pipeline.database.systems.tally import tally
from pipeline.domain.status import (
    ACTIVE,
    IN_DPS,
    StatusCoding,
    project_status,
)
from pipeline.errors import PipelineError
from pipeline.model.event import Value
from pipeline.operations.finding import Line, fault

KINDS = (
    ("clients", "firm", "vecIsClient"),
    ("vendors", "vendor", "vecIsVendor"),
    ("employees", "", "vecIsEmployee"),
)
CHOOSE = "Set routes.dps.status_coding to the coding that these numbers show."
Statuses = Counter[Value]  # status in Ajera -> rows


def lines(engine: Engine, settings: Settings, area: str) -> Iterator[Line]:
    """A line for each kind of row that has a status."""
    for kind, entity, flag in KINDS:
        yield _line(
            engine,
            settings,
            area,
            kind,
            entity,
            "AxVec",
            ("vecStatus", flag),
        )
    yield _line(
        engine,
        settings,
        area,
        "contacts",
        "contact",
        "AxContact",
        ("cntStatus",),
    )
    yield _line(
        engine,
        settings,
        area,
        "projects",
        "project",
        "AxProject",
        ("prjStatus", "prjSyncToCRM", "prjCreateInCRM"),
    )


def _line(
    engine: Engine,
    settings: Settings,
    area: str,
    kind: str,
    entity: str,
    table: str,
    columns: tuple[str, ...],
) -> Line:
    """First the column of the status, then flags: of those that are given one at least is set."""
    site, name = settings.site, f"status of {kind}"
    here = [site.source_column(table, column) for column in columns]
    try:
        found = tally(engine, settings.ajera.db_schema, site.source_table(table), here)
    except PipelineError as error:
        return fault(area, name, error)
    statuses: Statuses = Counter()
    for (status, *flags), count in found:
        if not flags or any(flags):
            statuses[status] += count
    coding = StatusCoding(settings.exchange.status_coding)
    is_open = coding is StatusCoding.NONE and statuses.total() > 0
    told = _of_projects(statuses) if entity == "project" else _by_coding(statuses, entity)
    if entity:
        told += "; not written" if coding is StatusCoding.NONE else f"; written by {coding}"
    return Line(area, name, is_ok=True, found=told, action=CHOOSE if is_open else "")


def _by_coding(statuses: Statuses, entity: str) -> str:
    convert = IN_DPS.get(entity, IN_DPS["firm"])
    counted = {one: Counter[Value]() for one in ACTIVE}
    for coding, counts in counted.items():
        for status, count in statuses.items():
            counts[convert(coding)(status)] += count
    return "; ".join(
        f"{coding}: {counts['A']:,} active, {counts.total() - counts['A']:,} not"
        for coding, counts in counted.items()
    )


def _of_projects(statuses: Statuses) -> str:
    counts = Counter[Value]()
    for status, count in statuses.items():
        counts[project_status(status)] += count
    return (
        f"by either coding {counts['A']:,} active, {counts['D']:,} dormant, {counts['I']:,} "
        "inactive"
    )
