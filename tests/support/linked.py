"""A route into DPS, of the tests' own: a report of each project that the exchange linked, under the
key that DPS knows it by, and its invoice groups below it.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.domain import ajera, dps
from pipeline.mapping.aggregate import Aggregate, Function
from pipeline.mapping.convert import text
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.path import Path
from pipeline.mapping.route import Route
from pipeline.mapping.source import ColumnType
from pipeline.mapping.table import (
    ChildRows,
    Column,
    LinkedKey,
    RelatedRows,
    RowMissing,
    TableMapping,
)
from pipeline.mapping.target import TargetColumn, TargetRow, TargetTable

PROJECT = "project"  # as the exchange calls it

# --- the tables -----------------------------------------------------------------------------------

REPORT = TargetTable(
    name="Project Report",
    key=("WBS1",),
    columns=(
        TargetColumn("WBS1", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("Name", length=100),
        TargetColumn("Groups", ColumnType.INTEGER),
    ),
    rank=0,
)
REPORT_GROUP = TargetTable(
    name="Report Group",
    key=("WBS1", "Group"),
    columns=(
        TargetColumn("WBS1", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("Group", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("Client", length=30),
    ),
    rank=1,
    references=(("WBS1", "Project Report"),),
)

# --- what it mirrors ------------------------------------------------------------------------------

AX_PROJECT = MirroredTable(ajera.AX_PROJECT.pick("prjDescription"))
AX_INVOICE_GROUP = MirroredTable(
    ajera.AX_INVOICE_GROUP,
    owners=(("igProject", "AxProject"),),
    indexed=("igProject",),
)

# --- how they are filled --------------------------------------------------------------------------


def _groups(project: RelatedRows) -> tuple[Sequence[TargetRow], Sequence[RowMissing]]:
    """The invoice groups of a project, each with its client."""
    rows = [
        TargetRow(
            REPORT_GROUP.name,
            (project.key, str(group.key)),
            {"Client": text(group.values["igClient"])},
        )
        for group in project.children("AxInvoiceGroup")
    ]
    return rows, ()


GROUPS = Path("AxInvoiceGroup", "igProject", "AxProject")
MAPPING = TableMapping(
    name="project report",
    entity="reports",
    source="AxProject",
    target=REPORT.name,
    only_if=None,
    key=LinkedKey("WBS1", PROJECT, dps.PR, "WBS1"),
    lines=(
        Column("prjDescription", "Name"),
        Aggregate("Groups", Function.COUNT, (GROUPS,)),
    ),
    children=(
        ChildRows(
            REPORT_GROUP.name,
            needs=("AxInvoiceGroup",),
            words="the invoice groups of the project",
            of=_groups,
            parents=(),
            values=(("Client", "igClient"),),
        ),
    ),
    paths=(GROUPS,),
)
LINKED = Route(
    name="reports",
    title="Ajera to DPS, reports",
    source_system="ajera",
    target_system="DPS",
    sources=(AX_PROJECT, AX_INVOICE_GROUP),
    targets=(REPORT, REPORT_GROUP),
    mappings=(MAPPING,),
)


def project_key(number: str) -> str:
    """The key of a whole project in DPS, as links hold it."""
    return dps.PR.key_text((number, " ", " "))
