"""A route of the tests' own, whose keys are text, or have several columns: people of offices, and
their sheets with entries.
"""

from __future__ import annotations

from pipeline.mapping.aggregate import Aggregate, Function
from pipeline.mapping.convert import text
from pipeline.mapping.mirror import MirroredTable, reference_of
from pipeline.mapping.path import Path
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType, SourceTable, columns
from pipeline.mapping.table import (
    AwaitParent,
    Column,
    Derived,
    Expression,
    Related,
    RelatedRows,
    TableMapping,
)
from pipeline.mapping.target import TargetColumn, TargetTable
from pipeline.mapping.terms import prefixed
from pipeline.model.event import Event, Operation, Row, Value
from tests.support.events import event_at

SHORT, NUMBER = ColumnType.SHORT_TEXT, ColumnType.INTEGER

OFFICE = MirroredTable(
    SourceTable(
        "Office",
        ("land", "number"),
        (
            *columns(SHORT, "land"),
            *columns(NUMBER, "number"),
            *columns(ColumnType.TEXT, "officeName"),
        ),
    ),
    shared=("officeName",),
)
PERSON = MirroredTable(
    SourceTable(
        "Person",
        ("code",),
        (
            *columns(SHORT, "code", "officeLand"),
            *columns(NUMBER, "officeNumber"),
            *columns(ColumnType.TEXT, "personName"),
        ),
    ),
    remembered=(reference_of("office", "officeLand", "officeNumber"),),
    shared=("personName",),
    indexed=("office",),
)
SHEET = MirroredTable(
    SourceTable("Sheet", ("person", "week"), (*columns(SHORT, "person"), *columns(NUMBER, "week"))),
    owners=(("person", "Person"),),
    indexed=("person",),
)
ENTRY = MirroredTable(
    SourceTable(
        "Entry",
        ("entryPerson", "entryWeek", "line"),
        (
            *columns(SHORT, "entryPerson"),
            *columns(NUMBER, "entryWeek", "line"),
            *columns(ColumnType.TEXT, "note"),
        ),
    ),
    remembered=(reference_of("sheet", "entryPerson", "entryWeek"),),
    owners=(("sheet", "Sheet"),),
    indexed=("sheet",),
)

PEOPLE = TargetTable(
    "People",
    key=("Person ID",),
    columns=(
        TargetColumn("Person ID", SHORT, 100, nullable=False),
        TargetColumn("Name", length=100),
        TargetColumn("Office", length=100),
        TargetColumn("Weeks", length=100),
        TargetColumn("Entries", ColumnType.INTEGER),
    ),
    rank=0,
)
SHEETS = TargetTable(
    "Sheets",
    key=("Sheet ID",),
    columns=(
        TargetColumn("Sheet ID", SHORT, 100, nullable=False),
        TargetColumn("Person ID", SHORT, 100),
        TargetColumn("Name", length=100),
        TargetColumn("Notes", length=200),
    ),
    rank=1,
    references=(("Person ID", "People"),),
)


def _office(rows: RelatedRows) -> Value:
    land, number = rows.root.values["officeLand"], rows.root.values["officeNumber"]
    if land is None or number is None:
        return None
    return text(rows.row("Office", land, number).values["officeName"])


def _weeks(rows: RelatedRows) -> Value:
    return ",".join(str(sheet.values["week"]) for sheet in rows.children("Sheet")) or None


def _notes(rows: RelatedRows) -> Value:
    return ",".join(str(entry.values["note"]) for entry in rows.children("Entry")) or None


def _name(rows: RelatedRows) -> Value:
    return text(rows.row("Person", rows.root.values["person"]).values["personName"])


TO_ENTRIES = (Path("Sheet", "person", "Person"), Path("Entry", "sheet", "Sheet"))

SHEETS_ROUTE = Route(
    name="sheets",
    title="Sheets",
    source_system="clock",
    target_system="sheets",
    sources=(OFFICE, PERSON, SHEET, ENTRY),
    targets=(PEOPLE, SHEETS),
    mappings=(
        TableMapping(
            name="person",
            entity="people",
            source="Person",
            target="People",
            only_if=None,
            key=Derived("Person ID", prefixed("", "code")),
            lines=(
                Column("personName", "Name"),
                Related("Office", ("Office",), "officeName", _office),
                Related("Weeks", ("Sheet",), "weeks of the sheets", _weeks),
                Aggregate("Entries", Function.COUNT, TO_ENTRIES),
            ),
            paths=(Path("Sheet", "person", "Person"), Path("Person", "office", "Office")),
        ),
        TableMapping(
            name="sheet",
            entity="sheets",
            source="Sheet",
            target="Sheets",
            only_if=None,
            key=Derived(
                "Sheet ID",
                Expression(
                    ("person", "week"),
                    "person + '/' + week",
                    lambda row, _: f"{row['person']}/{row['week']}",
                ),
            ),
            lines=(
                Column("person", "Person ID"),
                Related("Name", ("Person",), "personName", _name),
                Related("Notes", ("Entry",), "notes of the entries", _notes),
            ),
            parents=(AwaitParent("Person ID", "People", "Person", is_prefixed=False),),
            paths=(Path("Entry", "sheet", "Sheet"), Path("Sheet", "person", "Person")),
        ),
    ),
)
SITE = Site()


def changed(table: str, *key: Value, at: int, operation: str = "u", **values: Value) -> Event:
    """An event of this route whose row holds the key and these columns; others are null."""
    source = SHEETS_ROUTE.source(table).table
    row: Row = {
        **{column.name: None for column in source.columns},
        **dict(zip(source.key, key, strict=True)),
        **values,
    }
    return event_at(table, source.key_text(key), row, Operation(operation), at)
