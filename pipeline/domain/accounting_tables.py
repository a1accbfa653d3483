"""DPS's tables as the accounting tabs fill them (evidence.md, section 4.3): PR, whose rows are
others', and EMProjectAssoc, of which an older sync may have made rows.
"""

from __future__ import annotations

from pipeline.domain import dps
from pipeline.mapping.observed import Observed
from pipeline.mapping.source import ColumnType
from pipeline.mapping.target import TargetColumn, TargetTable

PLACES = 4
ROLE_LENGTH = 50
PROJECT_LEVEL = (("WBS2", " "), ("WBS3", " "))  # what a project has that is no phase


def _amounts(*names: str) -> tuple[TargetColumn, ...]:
    return tuple(TargetColumn(name, ColumnType.DECIMAL, places=PLACES) for name in names)


def _days(*names: str) -> tuple[TargetColumn, ...]:
    return tuple(TargetColumn(name, ColumnType.DATE) for name in names)


PR = TargetTable(
    "PR",
    key=("WBS1",),
    columns=(
        TargetColumn("WBS1", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("WBS2", ColumnType.SHORT_TEXT, 7, nullable=False),
        TargetColumn("WBS3", ColumnType.SHORT_TEXT, 7, nullable=False),
        *_days("StartDate", "EstCompletionDate", "ActCompletionDate"),
        *_amounts("TotalProjectCost", "FirmCost", "PctComp", "BudOHRate"),
        *_amounts("Fee", "FeeDirLab", "FeeDirExp", "ConsultFee"),
        *_amounts("ReimbAllow", "ReimbAllowExp", "ReimbAllowCons"),
        *_amounts(
            *(
                f"Ajera{amount}{column}"
                for amount in ("Spent", "Cost", "WIP", "Billed", "Received")
                for column in ("Labor", "Reimbursable", "Consultant")
            )
        ),
    ),
    rank=0,
    is_others=True,
    fixed=PROJECT_LEVEL,
)
EM_PROJECT_ASSOC = TargetTable(
    "EMProjectAssoc",
    key=("WBS1", "Employee", "Role"),
    columns=(
        TargetColumn("RecordID", ColumnType.SHORT_TEXT, 32, nullable=False),
        TargetColumn("WBS1", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("WBS2", ColumnType.SHORT_TEXT, 7, nullable=False),
        TargetColumn("WBS3", ColumnType.SHORT_TEXT, 7, nullable=False),
        TargetColumn("Employee", ColumnType.SHORT_TEXT, 20, nullable=False),
        TargetColumn("Role", ColumnType.SHORT_TEXT, ROLE_LENGTH, nullable=False),
        *_amounts("Hours"),
        *_days("StartDate"),
    ),
    rank=1,
    fixed=PROJECT_LEVEL,
    row_id="RecordID",
)
TARGET_TABLES = (PR, EM_PROJECT_ASSOC)

# As they are captured: what people type over our columns there is put back.
OBSERVED = (
    Observed("dps", dps.PR.pick(*PR.by_name()), "PR"),
    Observed("dps", dps.EM_PROJECT_ASSOC, "EMProjectAssoc"),
)
