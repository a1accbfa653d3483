"""A third target, Reporting: a flat table of clients with what is known of their projects.

All that a route is stands here: its target's table, what it mirrors of the source's, its mapping.
The contract of the column that no other route reads is `AxProject.avsc`, beside this module.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path as Folder

from pipeline.domain import ajera
from pipeline.mapping.aggregate import Aggregate, Function, Where
from pipeline.mapping.convert import reference, text
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.path import Path
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType, columns
from pipeline.mapping.table import (
    Column,
    Derived,
    Expression,
    Related,
    RelatedRows,
    TableMapping,
)
from pipeline.mapping.target import TargetColumn, TargetTable
from pipeline.mapping.terms import prefixed
from pipeline.model.event import Row, Value

ACTIVE = 1  # in prjStatus

# --- Reporting's table ----------------------------------------------------------------------------

CLIENT_REPORT = TargetTable(
    name="Client Report",
    key=("Client",),
    columns=(
        TargetColumn("Client", length=20),
        TargetColumn("Name", length=100),
        TargetColumn("Place", length=100),
        TargetColumn("Active Projects", ColumnType.INTEGER),
        TargetColumn("Newest Project", ColumnType.DATE),
    ),
    rank=0,
)

# --- what it mirrors ------------------------------------------------------------------------------

AX_VEC = MirroredTable(
    ajera.AX_VEC.pick("vecDescription", "vecCity", "vecState", "vecIsClient"),
)
AX_PROJECT = MirroredTable(
    replace(
        ajera.AX_PROJECT,
        columns=(*ajera.AX_PROJECT.columns, *columns(ColumnType.DATE, "prjOpened")),
    ).pick("prjStatus", "prjOpened"),
    shared=("prjStatus", "prjOpened"),
)
AX_INVOICE_GROUP = MirroredTable(
    ajera.AX_INVOICE_GROUP,
    owners=(("igClient", "AxVec"),),
    indexed=("igProject", "igClient"),
)

# --- how it is filled -----------------------------------------------------------------------------


def _place(row: Row, _: Site) -> Value:
    parts = (text(row["vecCity"]), text(row["vecState"]))
    return ", ".join(part for part in parts if part) or None


def _newest(client: RelatedRows) -> Value:
    """The start of the newest of the projects that the client's invoice groups name."""
    keys = {reference(group.values["igProject"]) for group in client.children("AxInvoiceGroup")}
    projects = [client.row("AxProject", key) for key in keys if key is not None]
    started = [one.values["prjOpened"] for one in projects if not one.deleted]
    return max((day for day in started if isinstance(day, date)), default=None)


GROUPS = Path("AxInvoiceGroup", "igClient", "AxVec")
PROJECTS = Path("AxInvoiceGroup", "igProject", "AxProject")
NEEDS = ("AxInvoiceGroup", "AxProject")
CLIENT = TableMapping(
    name="client report",
    entity="clients",
    source="AxVec",
    target="Client Report",
    only_if="vecIsClient",
    key=Derived("Client", prefixed("cl-", "vecKey")),
    lines=(
        Column("vecDescription", "Name"),
        Derived("Place", Expression(("vecCity", "vecState"), "vecCity, vecState", _place)),
        Aggregate(
            "Active Projects",
            Function.COUNT,
            along=(GROUPS, PROJECTS),
            where=(Where("prjStatus", (ACTIVE,)),),
        ),
        Related("Newest Project", NEEDS, "prjOpened of the newest of its projects", _newest),
    ),
    paths=(GROUPS, PROJECTS),
)

REPORTING = Route(
    name="reporting",
    title="Ajera to Reporting",
    source_system="ajera",
    target_system="Reporting",
    sources=(AX_VEC, AX_PROJECT, AX_INVOICE_GROUP),
    targets=(CLIENT_REPORT,),
    mappings=(CLIENT,),
    note="One row for each client.",
    schemas=Folder(__file__).parent,
)
