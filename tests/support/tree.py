"""A route of the tests' own: what was worked on the parts of a project, a tree of three levels,
under the key that its link gives; and a crew: a row for each linked person and each role.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from pipeline.domain import dps
from pipeline.mapping.aggregate import (
    Aggregate,
    AggregateGroups,
    Function,
    GroupLink,
    GroupLookUp,
    Where,
    WhereRelated,
)
from pipeline.mapping.mirror import Fold, MirroredTable, StickyColumn
from pipeline.mapping.path import Path
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType, SourceTable, columns
from pipeline.mapping.table import (
    ChildRows,
    Column,
    LinkedKey,
    Related,
    RelatedRows,
    RowMissing,
    TableMapping,
)
from pipeline.mapping.target import TargetColumn, TargetRow, TargetTable
from pipeline.model.event import Row, Value
from tests.support.events import event_of, ledger_of

PROJECT, EMPLOYEE = "project", "employee"  # as the exchange calls them
HIDDEN = 9  # in partStatus
FINAL = 2  # in billStatus
NUMBER, TEXT = ColumnType.INTEGER, ColumnType.TEXT

# --- the tables -----------------------------------------------------------------------------------


def _is_top(row: Row, _: Site) -> Value:
    return row["partOf"] in (None, 0, row["partKey"])


PART = MirroredTable(
    SourceTable(
        "Part",
        ("partKey",),
        (*columns(NUMBER, "partKey", "partOf", "partStatus"), *columns(TEXT, "partName")),
    ),
    remembered=(StickyColumn("is_top", ColumnType.FLAG, Fold.NEWEST, _is_top, "it is at the top"),),
    indexed=("partOf",),
)
WORK = MirroredTable(
    SourceTable(
        "Work",
        ("workKey",),
        (
            *columns(
                *(NUMBER, "workKey", "workPart", "workTask", "workPerson", "workRole", "workBill"),
                "workHours",
            ),
            *columns(ColumnType.DECIMAL, "workAmount"),
            *columns(ColumnType.DATE, "workDay"),
            *columns(ColumnType.FLAG, "workIsVoid"),
            *columns(TEXT, "workNotes"),
        ),
    ),
    indexed=("workPart", "workTask", "workPerson", "workRole", "workBill"),
)
TASK = MirroredTable(
    SourceTable("Task", ("taskKey",), columns(NUMBER, "taskKey", "taskKind")),
)
ROLE = MirroredTable(
    SourceTable(
        "Role", ("roleKey",), (*columns(NUMBER, "roleKey"), *columns(TEXT, "roleName", "roleNote"))
    ),
)
BILL = MirroredTable(SourceTable("Bill", ("billKey",), columns(NUMBER, "billKey", "billStatus")))
SPENT_TABLE = TargetTable(
    "Spent",
    key=("Code",),
    columns=(
        TargetColumn("Code", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("Name", length=100),
        TargetColumn("Rows", ColumnType.INTEGER),
        TargetColumn("Billed", ColumnType.DECIMAL, places=4),
        TargetColumn("Open", ColumnType.DECIMAL, places=4),
        TargetColumn("Labor", ColumnType.DECIMAL, places=4),
    ),
    rank=0,
)
CREW_TABLE = TargetTable(
    "Crew",
    key=("Code", "Person", "Role"),
    columns=(
        TargetColumn("Code", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("Person", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("Role", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("Hours", ColumnType.INTEGER),
        TargetColumn("First Day", ColumnType.DATE),
    ),
    rank=1,
    references=(("Code", "Spent"),),
)

# --- how they are filled --------------------------------------------------------------------------

PARTS = Path("Part", "partOf", "Part", levels=3)
TO_WORK = (PARTS, Path("Work", "workPart", "Part"))
BY_ROLE = Path("Work", "workRole", "Role")
VALID = Where("workIsVoid", (False, None))
SHOWN = WhereRelated(Path("Work", "workPart", "Part"), "partStatus", (HIDDEN,), is_not=True)
BILLED = WhereRelated(Path("Work", "workBill", "Bill"), "billStatus", (FINAL,))
OPEN = WhereRelated(Path("Work", "workBill", "Bill"), "billStatus", (FINAL,), is_not=True)
LABOR = WhereRelated(Path("Work", "workTask", "Task"), "taskKind", (1,))
TREE_LINES = (
    Aggregate("Rows", Function.COUNT, TO_WORK),
    Aggregate("Billed", Function.SUM, TO_WORK, "workAmount", where=(VALID, SHOWN, BILLED)),
    Aggregate("Open", Function.SUM, TO_WORK, "workAmount", where=(VALID, SHOWN, OPEN)),
)
ALL = AggregateGroups(
    "all",
    TO_WORK,
    by=(),
    lines=(Aggregate("Labor", Function.SUM, TO_WORK, "workAmount", where=(LABOR,)),),
    where=(VALID, SHOWN),
)
CREW = AggregateGroups(
    "crew",
    TO_WORK,
    by=("workPerson", "workRole"),
    lines=(
        Aggregate("Hours", Function.SUM, TO_WORK, "workHours"),
        Aggregate("First Day", Function.MIN, TO_WORK, "workDay"),
    ),
    where=(VALID, SHOWN, LABOR),
    looks_up=(GroupLookUp(BY_ROLE, ("roleName",)),),
    linked=(GroupLink("workPerson", EMPLOYEE, dps.EM, "Employee"),),
)


def _labor(part: RelatedRows) -> Value:
    return part.totals("all")[()]["Labor"]


def _crew(part: RelatedRows) -> tuple[Sequence[TargetRow], Sequence[RowMissing]]:
    """A row for each linked person and role; of roles of one name together."""
    found: dict[tuple[str, str], list[Row]] = {}
    missing: list[RowMissing] = []
    for (person, role), values in part.totals("crew").items():
        number = part.linked("crew", person)
        try:
            row = part.row("Role", role)
        except RowMissing as error:
            missing.append(error)
            continue
        if number is not None and not row.deleted:
            found.setdefault((number, str(row.values["roleName"])), []).append(values)
    rows = [
        TargetRow("Crew", (part.key, number, role), _together(some))
        for (number, role), some in found.items()
    ]
    return rows, missing


def _together(groups: Sequence[Row]) -> Row:
    hours = (one["Hours"] for one in groups)
    days = [one["First Day"] for one in groups]
    return {
        "Hours": sum(one for one in hours if isinstance(one, int | Decimal)),
        "First Day": min((one for one in days if one is not None), key=str, default=None),
    }


MAPPING = TableMapping(
    name="spent",
    entity="spent",
    source="Part",
    target="Spent",
    only_if="is_top",
    key=LinkedKey("Code", PROJECT, dps.PR, "WBS1"),
    lines=(
        Column("partName", "Name"),
        *TREE_LINES,
        Related("Labor", (), "workAmount of labor", _labor),
    ),
    children=(
        ChildRows(
            "Crew",
            needs=(),
            words="the hours of each linked person in each role",
            of=_crew,
            parents=(),
            values=(("Hours", "workHours"), ("First Day", "workDay")),
        ),
    ),
    grouped=(ALL, CREW),
)
TREE = Route(
    name="spent",
    title="Spent",
    source_system="ajera",
    target_system="spent",
    sources=(PART, TASK, ROLE, BILL, WORK),
    targets=(SPENT_TABLE, CREW_TABLE),
    mappings=(MAPPING,),
)


changed = partial(event_of, TREE)
mirrored = partial(ledger_of, TREE)
