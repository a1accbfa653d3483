"""A route into tables that others fill, too, of the tests' own: of each project that the exchange
linked two columns of its row in DPS, whose phases have rows in the same table, and its team.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from pipeline.domain import ajera, dps
from pipeline.mapping.aggregate import Aggregate, Function
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.observed import Observed
from pipeline.mapping.path import Path
from pipeline.mapping.route import Route
from pipeline.mapping.source import ColumnType, SourceTable, columns
from pipeline.mapping.table import (
    ChildRows,
    Column,
    LinkedKey,
    RelatedRows,
    RowMissing,
    TableMapping,
)
from pipeline.mapping.target import TargetColumn, TargetRow, TargetTable

LEAD = "Lead"
WBS = tuple(
    TargetColumn(name, ColumnType.SHORT_TEXT, 30, nullable=False)
    for name in ("WBS1", "WBS2", "WBS3")
)
WHOLE = (("WBS2", " "), ("WBS3", " "))  # a project; its phases have other values

# --- the tables -----------------------------------------------------------------------------------

PROJECT = TargetTable(
    name="PR",
    key=("WBS1",),
    columns=(
        *WBS,
        TargetColumn("AjeraName", length=40),
        TargetColumn("AjeraGroups", ColumnType.INTEGER),
        TargetColumn("Memo", length=100),
    ),
    rank=0,
    is_others=True,
    fixed=WHOLE,
)
TEAM = TargetTable(
    name="EMProjectAssoc",
    key=("WBS1", "Employee", "Role"),
    columns=(
        TargetColumn("RecordID", ColumnType.SHORT_TEXT, 32, nullable=False),
        *WBS,
        TargetColumn("Employee", ColumnType.SHORT_TEXT, 20, nullable=False),
        TargetColumn("Role", ColumnType.SHORT_TEXT, 20, nullable=False),
        TargetColumn("Hours", ColumnType.DECIMAL, places=2),
        TargetColumn("RoleDescription", length=100),
    ),
    rank=1,
    fixed=WHOLE,
    row_id="RecordID",
)

# --- what it mirrors ------------------------------------------------------------------------------

AX_PROJECT = MirroredTable(ajera.AX_PROJECT.pick("prjDescription"))
AX_INVOICE_GROUP = MirroredTable(
    ajera.AX_INVOICE_GROUP,
    owners=(("igProject", "AxProject"),),
    indexed=("igProject",),
)

# --- what it reads back ---------------------------------------------------------------------------

OBSERVED = (
    Observed(
        "dps",
        SourceTable(
            "PR",
            ("WBS1", "WBS2", "WBS3"),
            (
                *columns(ColumnType.TEXT, "WBS1", "WBS2", "WBS3", "AjeraName"),
                *columns(ColumnType.INTEGER, "AjeraGroups"),
            ),
        ),
        PROJECT.name,
    ),
    Observed(
        "dps",
        SourceTable(
            "EMProjectAssoc",
            ("RecordID",),
            (
                *columns(ColumnType.TEXT, "RecordID", "WBS1", "WBS2", "WBS3", "Employee", "Role"),
                *columns(ColumnType.DECIMAL, "Hours"),
            ),
        ),
        TEAM.name,
    ),
)

# --- how they are filled --------------------------------------------------------------------------

GROUPS = Path("AxInvoiceGroup", "igProject", "AxProject")


def _team(project: RelatedRows) -> tuple[Sequence[TargetRow], Sequence[RowMissing]]:
    """A row for each invoice group: its client in place of hours."""
    rows = []
    for group in project.children("AxInvoiceGroup"):
        client = group.values["igClient"]
        hours = Decimal(client) if isinstance(client, int) else None
        rows.append(TargetRow(TEAM.name, (project.key, str(group.key), LEAD), {"Hours": hours}))
    return rows, ()


MAPPING = TableMapping(
    name="project tab",
    entity="tabs",
    source="AxProject",
    target=PROJECT.name,
    only_if=None,
    key=LinkedKey("WBS1", "project", dps.PR, "WBS1"),
    lines=(
        Column("prjDescription", "AjeraName"),
        Aggregate("AjeraGroups", Function.COUNT, (GROUPS,)),
    ),
    children=(
        ChildRows(
            TEAM.name,
            needs=("AxInvoiceGroup",),
            words="the invoice groups of the project",
            of=_team,
            parents=(),
            values=(("Employee", "igKey"), ("Hours", "igClient")),
            adopts=True,
        ),
    ),
    paths=(GROUPS,),
)
TABS = Route(
    name="tabs",
    title="Ajera to DPS, tabs",
    source_system="ajera",
    target_system="DPS",
    sources=(AX_PROJECT, AX_INVOICE_GROUP),
    targets=(PROJECT, TEAM),
    mappings=(MAPPING,),
    observed=OBSERVED,
)


def theirs(route: Route) -> Route:
    """The same tables as people have them: every row, made and changed at will."""
    targets = (
        replace(
            one,
            key=(one.row_id,) if one.row_id else (*one.key, *one.fixed_names),
            fixed=(),
            is_others=False,
            row_id="",
        )
        for one in route.targets
    )
    return replace(route, targets=tuple(targets), mappings=(), observed=())


THEIRS = theirs(TABS)
