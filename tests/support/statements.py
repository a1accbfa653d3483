"""Every statement that the engine sends to a database,
recorded by calling every method of the ports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

from pipeline.conflicts import codec
from pipeline.conflicts.conflict import Conflict, Kind
from pipeline.conflicts.decision import Recorded
from pipeline.conflicts.link import Link, LinkSide, State
from pipeline.conflicts.rules import Rule, Side
from pipeline.database.pairs import (
    DatabaseAjeraTransaction,
    DatabaseLinkTransaction,
)
from pipeline.database.sql.dialect import Cells, Copying, Dialect, Fields
from pipeline.database.state.added import AddedColumn, AddedColumns
from pipeline.database.systems.rows import Names
from pipeline.database.systems.rows_by_id import RowsById
from pipeline.database.systems.target_names import names_of
from pipeline.database.transaction import DatabaseTransaction
from pipeline.domain import dps, exchange_tables
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.errors import PipelineError, TargetRefused
from pipeline.mapping.aggregate import Aggregate, Function, Where
from pipeline.mapping.observed import Written
from pipeline.mapping.site import Holds, KeyTable, Site
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Value
from pipeline.model.ledger import LedgerRow, Mark, Progress, Waiting
from pipeline.model.plain import PlainEvent
from pipeline.model.position import TopicPartition
from pipeline.pairing.entity import NewRow, ParkedWork
from tests.support.events import event, ledger
from tests.support.tabs import PROJECT, TABS, TEAM
from tests.support.totals import CONDITIONED, LEADS, LINES, TO_JOBS, TOTALS
from tests.support.totals import TEAM as TEAM_GROUPS
from tests.support.tree import ALL, CREW, TREE, TREE_LINES

NOW = datetime(2026, 11, 25, tzinfo=UTC)
CANARY = "canary-value"
KEY_TABLE = KeyTable(
    table="Key Table",
    table_column="Of",
    key_column="Next Key",
    holds=Holds.NEXT,
)


class Recorder:
    """A session that runs nothing and remembers every statement;
    it answers as a database in which nothing is there.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.copying = dialect.copying
        self.statements: dict[str, str] = {}  # the place of each
        self.rows: dict[str, list[Cells]] = {}  # what was sent, by place

    def run(
        self,
        place: str,
        sql: str,
        rows: Sequence[Cells],
        **parameters: Value,
    ) -> list[tuple[Value, ...]]:
        del parameters
        self.statements.setdefault(sql, place)
        self.rows.setdefault(place, []).extend(rows)
        if place == "source_table" and not any(
            word in sql for word in ("AS changed", "#missing", "ON CONFLICT")
        ):
            return [("AxVec", "topic", 0, 0, 0)]
        if place == "owned_row" and "adopted" in sql.partition("FROM")[0]:
            row_key = f'["{CANARY}", "{CANARY}", "other"]'
            return [(CANARY, row_key, CANARY, True), (CANARY, row_key, "made", False)]
        if place == KEY_TABLE.table and " AS changed" not in sql:
            return [(5,)]
        created = " AS created, " in sql.rsplit("SELECT", 1)[-1]
        counted = any(
            word in sql.rsplit("SELECT", 1)[-1] for word in (" AS changed", " AS deleted")
        )
        if created:
            return [(len(rows), 0)]
        return [(len(rows),)] if counted else []

    def copied(self, place: str, fields: Fields, rows: Sequence[Cells]) -> tuple[Copying, str]:
        if self.copying is None:
            raise TargetRefused(place)
        self.statements.setdefault(self.copying.staging(place, fields), place)
        self.statements.setdefault(self.copying.copy(place, fields), place)
        self.rows.setdefault(place, []).extend(rows)
        return self.copying, place

    def ask(self, place: str, sql: str, **parameters: Value) -> list[tuple[Value, ...]]:
        del parameters
        self.statements.setdefault(sql, place)
        return [(0,)] if "COUNT(" in sql or "MAX(" in sql else []

    def tell(self, place: str, sql: str, **parameters: Value) -> None:
        del parameters
        self.statements.setdefault(sql, place)


def statements(
    dialect: Dialect,
    site: Site,
    sync: str,
    target: str | None,
    systems: Names,
) -> dict[str, str]:
    """Those of every call that the engine makes, each with the table that it is about."""
    recorder = Recorder(dialect)
    added = AddedColumns((AddedColumn("AxVec", "vecFax", 1, 2),))
    transaction = DatabaseTransaction(recorder, AJERA_TO_PIM, site, sync, target, added)
    row = ledger(event("AxVec", 1, vecDescription=CANARY, vecIsClient=True))
    links = DatabaseLinkTransaction(recorder, sync, systems)
    in_ajera = replace(systems, side=Side.AJERA, fills=exchange_tables.FILLS)
    ajera = DatabaseAjeraTransaction(recorder, "ajera_cdc", in_ajera)
    generated = DatabaseAjeraTransaction(
        recorder,
        "ajera_cdc",
        replace(in_ajera, generated=frozenset({"AxVec"})),
    )
    with_key_table = replace(in_ajera, site=systems.site.model_copy(update={"keys": KEY_TABLE}))
    counted = DatabaseAjeraTransaction(recorder, "ajera_cdc", with_key_table)
    linked = DatabaseTransaction(recorder, AJERA_TO_PIM, site, sync, target, added, sync)
    totals = DatabaseTransaction(recorder, TOTALS, site, sync, target, added)
    tree = DatabaseTransaction(recorder, TREE, site, sync, target, added)
    tabs = DatabaseTransaction(recorder, TABS, site, sync, target, added, sync)
    for call in (
        *calls(transaction, row),
        *calls_of_tabs(tabs),
        *calls_by_id(RowsById(recorder, names_of(recorder, target, site, TABS.targets))),
        *calls_of_totals(totals),
        *calls_of_tree(tree),
        *calls_of_links(linked),
        *exchange_calls(links, ajera, generated, counted),
    ):
        try:
            call()
        except (PipelineError, ValueError):
            continue  # the recorder answers less than a database would
    return recorder.statements


def calls(transaction: DatabaseTransaction, row: LedgerRow) -> Iterator[Callable[[], object]]:
    mark, place = Mark("AxVec", CANARY, 3), TopicPartition(CANARY, 1)
    organization = TargetRow("Organization", (CANARY,), {"Name": CANARY, "Address": None})
    contact = TargetRow(
        "Contact",
        (CANARY,),
        {"Surname": CANARY},
        {"Title": "-", "Created Date": NOW},
    )
    yield partial(transaction.lock_rows, "AxVec", [CANARY])
    yield partial(transaction.write_rows, [row])
    yield partial(transaction.write_rows, [replace(row, revision=4)])
    yield partial(transaction.write_plain, "AxVec", [PlainEvent(event("AxVec", 1), (True,) * 3)])
    yield partial(transaction.upsert_plain, "Organization", ("Name",), 0, [(CANARY, CANARY)])
    yield partial(transaction.rows_by_key, "AxVec", [CANARY])
    yield partial(transaction.rows_where, "AxContact", "organization", [CANARY])
    yield partial(transaction.rows_where, "AxInvoiceGroup", "igClient", [1])
    yield partial(transaction.unseen, "AxVec", 2, 100)
    yield partial(transaction.mark, [mark], NOW)
    yield partial(transaction.mark_table, "AxVec", 1, NOW)
    yield partial(transaction.mark_table, "AxVec", 1, NOW, only_if="ever_vecIsClient")
    yield partial(transaction.unknown_columns)
    yield partial(transaction.lock_page, "AxVec", CANARY, 10)
    yield partial(transaction.setting, CANARY)
    yield partial(transaction.set_setting, CANARY, CANARY)
    yield partial(transaction.marks_of, [("AxVec", CANARY)])
    yield partial(transaction.due, 10, set_before=NOW, waiting_before=NOW)
    yield partial(transaction.clear, [mark])
    yield partial(transaction.wait, [Waiting(mark, "row.missing", CANARY)], NOW)
    yield partial(transaction.waiting_count)
    yield partial(transaction.existing, "Organization", [CANARY])
    yield partial(
        transaction.create_missing,
        "Project_Status",
        [{"Name": CANARY, "Completed": True}],
    )
    yield partial(transaction.holders, "Project", "Project Code", [CANARY])
    yield partial(transaction.upsert, "Organization", [organization])
    yield partial(transaction.upsert, "Contact", [contact])
    yield partial(
        transaction.upsert,
        "Project",
        [TargetRow("Project", ("1",), {"Description": CANARY})],
    )
    yield partial(
        transaction.replace_children,
        "Project_Contact",
        {"1": [TargetRow("Project_Contact", ("1", CANARY, "em-1"), {})]},
    )
    yield partial(transaction.loaded)
    yield partial(transaction.loading, 1)
    yield partial(transaction.set_load_ends, CANARY, "AxVec", 1, {0: 5})
    yield partial(transaction.read_to_end)
    yield partial(transaction.set_loaded, "AxVec", 1)
    yield partial(transaction.progress, [place])
    yield partial(transaction.advance, {place: Progress(1, 5)}, NOW)
    yield partial(transaction.incarnations, CANARY)
    yield partial(transaction.incarnation, CANARY, "id", 2)


def calls_of_totals(transaction: DatabaseTransaction) -> Iterator[Callable[[], object]]:
    """Values over many rows, and values of the kinds that only they have."""
    counted = Aggregate(
        "Open Jobs", Function.COUNT, TO_JOBS, where=(Where("jobStatusNote", (CANARY, None)),)
    )
    yield partial(transaction.aggregated, LINES, ["1"])
    yield partial(transaction.aggregated, CONDITIONED, ["1"])
    yield partial(transaction.grouped, [TEAM_GROUPS, LEADS], ["1"])
    yield partial(transaction.aggregated, [counted], ["1"])
    values: dict[str, Value] = {"Amount": Decimal("0.5"), "Newest Job": date(2026, 11, 25)}
    yield partial(transaction.upsert, "Totals", [TargetRow("Totals", (CANARY,), values)])


def calls_of_tabs(transaction: DatabaseTransaction) -> Iterator[Callable[[], object]]:
    """Tables that others fill, too."""
    row = TargetRow(PROJECT.name, (CANARY,), {"AjeraName": CANARY})
    yield partial(transaction.existing, PROJECT.name, [CANARY])
    yield partial(transaction.holders, PROJECT.name, "AjeraName", [CANARY])
    yield partial(transaction.upsert, PROJECT.name, [row])
    member = TargetRow(TEAM.name, (CANARY, CANARY, CANARY), {"Hours": Decimal(1)})
    yield partial(transaction.adopt_children, TEAM.name, {CANARY: [member]}, {"Hours": None})
    yield partial(transaction.written.held, PROJECT.name, [CANARY])
    yield partial(transaction.written.of, PROJECT.name, [CANARY])
    yield partial(transaction.written.for_roots, [("AxProject", CANARY)])
    last = Written(("AxProject", CANARY), {"AjeraName": CANARY})
    yield partial(transaction.written.remember, PROJECT.name, {CANARY: last})
    yield partial(transaction.written.forget, PROJECT.name, [CANARY])


def calls_by_id(rows: RowsById) -> Iterator[Callable[[], object]]:
    """Rows that are told by an id."""
    member = TargetRow(TEAM.name, (CANARY, CANARY, CANARY), {"Hours": Decimal(1)})
    yield partial(rows.lock, TEAM.name, [CANARY])
    yield partial(rows.of_keys, TEAM.name, [member.key])
    yield partial(rows.insert, TEAM.name, [(CANARY, member)])
    yield partial(rows.change, TEAM.name, [(CANARY, member)])
    yield partial(rows.fill, TEAM.name, [CANARY], {"Hours": None})
    yield partial(rows.delete, TEAM.name, [CANARY])


def calls_of_tree(transaction: DatabaseTransaction) -> Iterator[Callable[[], object]]:
    """Values over a tree, and the ways up."""
    yield partial(transaction.aggregated, TREE_LINES, ["1"])
    yield partial(transaction.grouped, [ALL, CREW], ["1"])
    yield partial(transaction.distinct_values, "Part", "partOf", "", ["1"])
    yield partial(transaction.distinct_values, "Work", "workPart", "workBill", [1])
    yield partial(transaction.distinct_values, "Work", "", "workPart", [1])


def calls_of_links(transaction: DatabaseTransaction) -> Iterator[Callable[[], object]]:
    """Keys that links give."""
    yield partial(transaction.follow_links, [CANARY])
    yield partial(transaction.take_link_changes, 10)
    yield partial(transaction.linked_keys, CANARY, [CANARY])
    yield partial(transaction.linked_keys, CANARY, [CANARY], is_locked=False)


def exchange_calls(
    links: DatabaseLinkTransaction,
    ajera: DatabaseAjeraTransaction,
    generated: DatabaseAjeraTransaction,
    counted: DatabaseAjeraTransaction,
) -> Iterator[Callable[[], object]]:
    halves = LinkSide("AxVec", CANARY), LinkSide("Clendor", CANARY)
    link = Link(CANARY, "firm", *halves, state=State.LINKED)
    entry = Conflict(
        CANARY,
        "firm",
        "name",
        Kind.FIRST_LINK,
        Rule.NEWEST,
        None,
        NOW,
        CANARY,
        CANARY,
        NOW,
        None,
    )
    work = ParkedWork(CANARY, "firm", Side.DPS, CANARY, "code", CANARY)
    firm = NewRow((CANARY,), {"Name": CANARY})
    yield partial(links.rows.clock)
    yield partial(links.rows.log_position)
    yield partial(links.rows.read, dps.CLENDOR, [CANARY], lock=True)
    yield partial(links.rows.named, dps.CLENDOR, ["Name"], [CANARY])
    yield partial(links.rows.having, dps.CL_ADDRESS, ["ClientID"], [(CANARY,)])
    yield partial(links.rows.distinct, exchange_tables.PR, ["WBS1", "Status"], "WBS1", [CANARY])
    yield partial(links.rows.keys, exchange_tables.PR)
    yield partial(links.rows.lists, exchange_tables.CODE_LISTS)
    yield partial(links.rows.update, dps.CLENDOR, {CANARY: {"Name": CANARY}})
    yield partial(links.rows.insert, dps.CLENDOR, [firm])
    yield partial(links.ids_of, Side.DPS, "Clendor", [CANARY])
    yield partial(links.links, [CANARY])
    yield partial(links.rewrite, [(codec.document_of(codec.dump(link)), "lines")])
    yield partial(links.counterparts, "firm", Side.DPS, [CANARY])
    yield partial(links.linked_ids, "firm", Side.DPS, [CANARY])
    yield partial(links.store, [(link, CANARY)])
    yield partial(links.counted, "contact", [CANARY])
    yield partial(links.page_of_links, "firm", Side.AJERA, 2, CANARY, 10)
    yield partial(links.log, [entry])
    yield partial(links.logged, limit=3, link=CANARY)
    yield partial(links.logged, limit=3, number=7)
    yield partial(links.with_parked_lines, 3)
    yield partial(links.outdated_links, {"firm": CANARY, "contact": "no"}, "", 10)
    yield partial(links.park, [work], NOW)
    yield partial(links.unpark, [CANARY])
    yield partial(links.wake, [CANARY])
    yield partial(links.due, 3, NOW)
    yield partial(links.hold_linking)
    yield partial(links.epochs)
    yield partial(links.set_epoch, Side.DPS, 1, 1)
    yield partial(links.remember, CANARY, CANARY)
    yield partial(
        ajera.rows.insert,
        exchange_tables.AX_VEC,
        [NewRow(None, {"vecDescription": CANARY})],
    )
    yield partial(
        generated.rows.insert,
        exchange_tables.AX_VEC,
        [NewRow(None, {"vecDescription": CANARY})],
    )
    yield partial(
        counted.rows.insert,
        exchange_tables.AX_VEC,
        [NewRow(None, {"vecDescription": CANARY})],
    )
    yield partial(ajera.rows.insert, exchange_tables.AX_PROJECT, [NewRow((1,), {"@template": 1})])
    yield partial(ajera.rows.lists, exchange_tables.CODE_LISTS)
    yield partial(ajera.take, [CANARY])
    yield partial(ajera.recorded, [CANARY])
    yield partial(
        ajera.record,
        {CANARY: ("AxVec", Recorded({"name": CANARY}, None, NOW))},
    )
    yield partial(ajera.creators, "AxVec", [CANARY])
