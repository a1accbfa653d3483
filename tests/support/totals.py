"""A route of the tests' own: firms with values over their jobs and entries, which the database
computes, and a row for each job.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pipeline.mapping.aggregate import (
    Aggregate,
    AggregateGroups,
    Function,
    Where,
    WhereRelated,
)
from pipeline.mapping.convert import text
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.path import Path
from pipeline.mapping.route import Route
from pipeline.mapping.source import ColumnType, SourceColumn, SourceTable
from pipeline.mapping.table import (
    ChildRows,
    Column,
    Derived,
    RelatedRows,
    RowMissing,
    TableMapping,
)
from pipeline.mapping.target import TargetColumn, TargetRow, TargetTable
from pipeline.mapping.terms import prefixed
from pipeline.model.ledger import LedgerRow
from tests.support.events import event_of, ledger_of

FIRM = MirroredTable(
    SourceTable(
        "Firm",
        ("firmKey",),
        (
            SourceColumn("firmKey", ColumnType.INTEGER),
            SourceColumn("firmName", ColumnType.TEXT),
        ),
    )
)
JOB = MirroredTable(
    SourceTable(
        "Job",
        ("jobKey",),
        (
            SourceColumn("jobKey", ColumnType.INTEGER),
            SourceColumn("jobFirm", ColumnType.INTEGER),
            SourceColumn("jobStatus", ColumnType.INTEGER),
            SourceColumn("jobOpened", ColumnType.DATE),
            SourceColumn("jobStatusNote", ColumnType.TEXT),
            SourceColumn("jobLead", ColumnType.INTEGER),
        ),
    ),
    indexed=("jobFirm", "jobLead"),
)
SHARE = MirroredTable(
    SourceTable(
        "Share",
        ("shareKey",),
        (
            SourceColumn("shareKey", ColumnType.INTEGER),
            SourceColumn("shareFirm", ColumnType.INTEGER),
            SourceColumn("shareJob", ColumnType.INTEGER),
        ),
    ),
    indexed=("shareFirm", "shareJob"),
)
ENTRY = MirroredTable(
    SourceTable(
        "Entry",
        ("entryKey",),
        (
            SourceColumn("entryKey", ColumnType.INTEGER),
            SourceColumn("entryJob", ColumnType.INTEGER),
            SourceColumn("entryAmount", ColumnType.DECIMAL),
            SourceColumn("entryHours", ColumnType.INTEGER),
            SourceColumn("entryVoid", ColumnType.FLAG),
            SourceColumn("entryNotes", ColumnType.TEXT),
            SourceColumn("entryInvoice", ColumnType.INTEGER),
            SourceColumn("entryPerson", ColumnType.INTEGER),
            SourceColumn("entryRole", ColumnType.SHORT_TEXT),
            SourceColumn("entryDay", ColumnType.DATE),
        ),
    ),
    indexed=("entryJob", "entryInvoice"),
)
INVOICE = MirroredTable(
    SourceTable(
        "Invoice",
        ("invoiceKey",),
        (
            SourceColumn("invoiceKey", ColumnType.INTEGER),
            SourceColumn("invoiceStatus", ColumnType.INTEGER),
            SourceColumn("invoiceNotes", ColumnType.TEXT),
        ),
    ),
)
PERSON = MirroredTable(
    SourceTable(
        "Person",
        ("personKey",),
        (
            SourceColumn("personKey", ColumnType.INTEGER),
            SourceColumn("personFirm", ColumnType.INTEGER),
            SourceColumn("personName", ColumnType.TEXT),
            SourceColumn("personRate", ColumnType.DECIMAL),
        ),
    ),
    owners=(("personFirm", "Firm"),),
    indexed=("personFirm",),
)
TOTALS_TABLE = TargetTable(
    "Totals",
    key=("Firm ID",),
    columns=(
        TargetColumn("Firm ID", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("Name", length=100),
        TargetColumn("Open Jobs", ColumnType.INTEGER),
        TargetColumn("Newest Job", ColumnType.DATE),
        TargetColumn("Amount", ColumnType.DECIMAL, places=4),
        TargetColumn("Hours", ColumnType.INTEGER),
        TargetColumn("Least Amount", ColumnType.DECIMAL, places=4),
        TargetColumn("Shared Jobs", ColumnType.INTEGER),
        TargetColumn("Invoiced", ColumnType.DECIMAL, places=4),
        TargetColumn("Not Invoiced", ColumnType.DECIMAL, places=4),
        TargetColumn("Led Jobs", ColumnType.INTEGER),
        TargetColumn("Shared Led Jobs", ColumnType.INTEGER),
    ),
    rank=0,
)
STAFF_TABLE = TargetTable(
    "Staff",
    key=("Firm ID", "Person ID"),
    columns=(
        TargetColumn("Firm ID", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("Person ID", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("Name", length=20),
        TargetColumn("Rate", ColumnType.DECIMAL, places=4),
    ),
    rank=1,
    references=(("Firm ID", "Totals"),),
)
TEAM_TABLE = TargetTable(
    "Team",
    key=("Firm ID", "Person ID", "Role"),
    columns=(
        TargetColumn("Firm ID", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("Person ID", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("Role", ColumnType.SHORT_TEXT, 30, nullable=False),
        TargetColumn("Hours", ColumnType.INTEGER),
        TargetColumn("First Day", ColumnType.DATE),
    ),
    rank=1,
    references=(("Firm ID", "Totals"),),
)
TO_JOBS = (Path("Job", "jobFirm", "Firm"),)
TO_ENTRIES = (*TO_JOBS, Path("Entry", "entryJob", "Job"))
TO_SHARED = (Path("Share", "shareFirm", "Firm"), Path("Share", "shareJob", "Job"))
OPEN = Where("jobStatus", (1, 2))
COUNTED = Where("entryVoid", (False, None))
LINES = (
    Aggregate("Open Jobs", Function.COUNT, TO_JOBS, where=(OPEN,)),
    Aggregate("Newest Job", Function.MAX, TO_JOBS, "jobOpened"),
    Aggregate("Amount", Function.SUM, TO_ENTRIES, "entryAmount", where=(COUNTED,)),
    Aggregate("Hours", Function.SUM, TO_ENTRIES, "entryHours"),
    Aggregate("Least Amount", Function.MIN, TO_ENTRIES, "entryAmount", where=(COUNTED,)),
    Aggregate("Shared Jobs", Function.COUNT, TO_SHARED, where=(OPEN,)),
)
BY_INVOICE = Path("Entry", "entryInvoice", "Invoice")
FINAL = 3  # in invoiceStatus
IS_FINAL = WhereRelated(BY_INVOICE, "invoiceStatus", (FINAL,))
NOT_FINAL = WhereRelated(BY_INVOICE, "invoiceStatus", (FINAL,), is_not=True)
LED = WhereRelated(Path("Job", "jobLead", "Person"), "personName", ("n", None))
CONDITIONED = (  # on rows that the aggregated ones refer to, along each form of way
    Aggregate("Invoiced", Function.SUM, TO_ENTRIES, "entryAmount", where=(IS_FINAL,)),
    Aggregate("Not Invoiced", Function.SUM, TO_ENTRIES, "entryAmount", where=(COUNTED, NOT_FINAL)),
    Aggregate("Led Jobs", Function.COUNT, TO_JOBS, where=(LED,)),
    Aggregate("Shared Led Jobs", Function.COUNT, TO_SHARED, where=(OPEN, LED)),
)
TEAM = AggregateGroups(
    "team",
    TO_ENTRIES,
    by=("entryPerson", "entryRole"),
    lines=(
        Aggregate("Hours", Function.SUM, TO_ENTRIES, "entryHours"),
        Aggregate("First Day", Function.MIN, TO_ENTRIES, "entryDay"),
    ),
    where=(COUNTED,),
)
LEADS = AggregateGroups(  # over rows that are looked up
    "leads",
    TO_SHARED,
    by=("jobLead",),
    lines=(Aggregate("Open", Function.COUNT, TO_SHARED, where=(OPEN,)),),
)


def _team(firm: RelatedRows) -> tuple[Sequence[TargetRow], Sequence[RowMissing]]:
    """A row for each person and role."""
    rows = [
        TargetRow("Team", (firm.key, f"p-{person}", str(role)), values)
        for (person, role), values in firm.totals("team").items()
    ]
    return rows, ()


def _staff(neighbours: RelatedRows) -> tuple[Sequence[TargetRow], Sequence[RowMissing]]:
    """The people of a firm, with their values."""
    firm = f"f-{neighbours.root.key}"
    return [staff(firm, one) for one in neighbours.children("Person")], ()


def staff(firm: str, person: LedgerRow) -> TargetRow:
    values = {"Name": text(person.values["personName"]), "Rate": person.values["personRate"]}
    return TargetRow("Staff", (firm, f"p-{person.key}"), values)


MAPPING = TableMapping(
    name="totals",
    entity="totals",
    source="Firm",
    target="Totals",
    only_if=None,
    key=Derived("Firm ID", prefixed("f-", "firmKey")),
    lines=(Column("firmName", "Name"), *LINES, *CONDITIONED),
    children=(
        ChildRows(
            "Staff",
            needs=("Person",),
            words="the people of the firm",
            of=_staff,
            parents=(),
            values=(("Name", "personName"), ("Rate", "personRate")),
        ),
        ChildRows(
            "Team",
            needs=(),  # beside what its groups need
            words="the hours of each person in each role",
            of=_team,
            parents=(),
            values=(("Hours", "entryHours"), ("First Day", "entryDay")),
        ),
    ),
    grouped=(TEAM,),
    paths=(Path("Person", "personFirm", "Firm"),),
)
TOTALS = Route(
    name="totals",
    title="Totals",
    source_system="source",
    target_system="totals",
    sources=(FIRM, JOB, SHARE, INVOICE, ENTRY, PERSON),
    targets=(TOTALS_TABLE, STAFF_TABLE, TEAM_TABLE),
    mappings=(MAPPING,),
)


changed = partial(event_of, TOTALS)
mirrored = partial(ledger_of, TOTALS)
