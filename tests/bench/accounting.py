"""The accounting part of the benchmark: what a changed transaction, an invoice made final and a
day's time entries cost among few transactions and among many; and a first load.

The processor is fed with events, over PostgreSQL and without Kafka: the other parts have what
reading and decoding cost. Mirrors are filled by SQL, so that only what is measured takes time.
"""

from __future__ import annotations

import random
import resource
import statistics
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import click
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from deploy.local.stack import Stack, running_stack
from deploy.sample import dps as sample_dps
from deploy.sample.naming import Naming
from pipeline.conflicts.link import Link, LinkSide, State
from pipeline.conflicts.rules import Side
from pipeline.database.pairs import DatabaseLinkTransaction
from pipeline.database.sql.engine import create_engine, dialect_of
from pipeline.database.sql.session import ConnectedSession
from pipeline.database.state.migrate import upgrade
from pipeline.database.systems.rows import Names
from pipeline.database.target import DatabaseTarget
from pipeline.domain import dps, routes
from pipeline.engine.projection.following import follow
from pipeline.mapping.site import Site
from pipeline.model.event import Event, Operation, Value
from pipeline.model.position import TopicOffset, postgres_position
from tests.support.engine import Consumer, patiently, topic_of

ACCOUNTING = routes.ACCOUNTING.only(frozenset(routes.ACCOUNTING.entities))  # as it runs
STATE = "sync_accounting"
A_PROJECT = 2_000  # transactions
PHASES = 3  # below a project, in three levels
AN_INVOICE = 50  # transactions on it, of one project
DAY, DAY_PROJECTS, BATCH = 10_000, 200, 2_000
REPEATS = 20
EMPLOYEES, EMPLOYEE_TYPES = 60, 12
KIND = "CASE i WHEN 1 THEN 'labor' WHEN 2 THEN 'expense' ELSE 'consultant' END"
NOW = datetime(2026, 11, 27, tzinfo=UTC)
console = Console()
BLANK = "'', 1, 0, 0, false, '', 1, now(), '', ''"
LEDGER = """position, incarnation, "partition", "offset", deleted, unknown, epoch, committed_at,
 retired_at, changed_at"""


@dataclass(frozen=True, slots=True)
class Costs:
    """Of a mirror of so many transactions: milliseconds of one changed transaction and of one
    invoice made final (medians), of a day's time entries seconds and rows written, and bytes of
    state a transaction.
    """

    transactions: int
    one_ms: float
    invoice_ms: float
    day_seconds: float
    day_rows: int
    bytes_each: float


@dataclass(frozen=True, slots=True)
class FirstLoad:
    """Transactions a second while a snapshot is read, seconds until totals stand after its end, and
    the process's largest memory in MB.
    """

    transactions: int
    a_second: float
    finish_seconds: float
    memory_mb: float


class Books:
    """A DPS database with the state of the exchange and of the accounting route; every project is
    linked, and nothing is loaded.
    """

    def __init__(self, stack: Stack, projects: int) -> None:
        url = stack.create_database(f"books-{uuid.uuid4().hex[:8]}")
        sample_dps.create_dps(url, Naming())
        self.engine = create_engine(url)
        upgrade(self.engine, "sync", part="dps")
        upgrade(self.engine, STATE, mirrored=ACCOUNTING.sources)
        self.target = DatabaseTarget(self.engine, ACCOUNTING, Site(), STATE, None, "sync")
        self.projects = projects
        self._number = 10
        self._link()
        with self.target.transaction() as transaction:
            follow(transaction, ACCOUNTING, NOW)

    def run(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))

    def ask(self, statement: str) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(sa.text(statement)).scalar_one())

    def _link(self) -> None:
        self.run(
            'INSERT INTO "PR" ("WBS1", "WBS2", "WBS3", "Name", "Status", "AjeraSync")'
            " SELECT 'P' || i, ' ', ' ', 'Project ' || i, 'A', 'Y'"
            f" FROM generate_series(1, {self.projects}) AS i"
        )
        links = [
            Link(
                f"p{key}",
                "project",
                LinkSide("AxProject", str(key)),
                LinkSide("PR", dps.PR.key_text((f"P{key}", " ", " "))),
                State.LINKED,
            )
            for key in range(1, self.projects + 1)
        ]
        with self.engine.begin() as connection:
            session = ConnectedSession(connection, dialect_of(self.engine))
            names = Names(Site(), Side.DPS, None)
            DatabaseLinkTransaction(session, "sync", names).store([(one, None) for one in links])

    def filled(self, transactions: int) -> None:
        """Mirrors as a first load leaves them, everything loaded and statistics taken."""
        self._mirror("AxActivity", {"actKey": "i", "actType": "i", "activity_kind": KIND}, 3)
        self._mirror(
            "AxEmployeeType", {"etKey": "i", "etDescription": "'Role ' || i"}, EMPLOYEE_TYPES
        )
        phase = f"(i - 1) % {self.projects} + 1"  # project of the i-th row
        level = f"(i - 1) / {self.projects}"  # 0: the project, then one phase below the other
        self._mirror(
            "AxProject",
            {
                "prjKey": "i",
                "prjStatus": "1",
                "prjProject": f"CASE WHEN {level} > 0 THEN i - {self.projects} END",
                "billing": "'fee'",
                "is_counted": "true",
                "is_followed": "true",
            },
            self.projects * (1 + PHASES),
        )
        invoices = transactions // AN_INVOICE
        self._mirror("AxClientInvoice", {"ciKey": "i", "is_final": "i % 2 = 0"}, invoices)
        # The i-th transaction is of project (i % projects), on the project or one of its phases.
        on = f"{phase} + {self.projects} * (i / {self.projects} % {1 + PHASES})"
        self._mirror(
            "AxTransaction",
            {
                "tKey": "i",
                "tProject": on,
                "tActivity": "i % 3 + 1",
                "tEmployee": f"i % {EMPLOYEES} + 1",
                "tEmployeeType": f"i % {EMPLOYEE_TYPES} + 1",
                "employee_type": f"i % {EMPLOYEE_TYPES} + 1",
                "tDate": "date '2020-01-01' + CAST(i % 2000 AS integer)",
                "tUnits": "1.5",
                "tCostAmount": "60",
                "tSpentAmount": "100.25",
                "tBilledAmount": "90",
                "tIsBillable": "true",
                "tClientInvoice": (
                    f"CAST(({phase}) + {self.projects} *"
                    f" (i / {self.projects * AN_INVOICE}) AS bigint)"
                ),
                "tIsDeleted": "false",
                "tIsCurrent": "true",
            },
            transactions,
        )
        self.loaded()
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))

    def _mirror(self, table: str, columns: Mapping[str, str], count: int) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        self.run(
            f'INSERT INTO {STATE}."mirror_{table}" ("key", revision, {LEDGER}, {names})'
            f" SELECT CAST(i AS text), 1, {BLANK}, {', '.join(columns.values())}"
            f" FROM generate_series(1, {count}) AS i"
        )

    def loaded(self) -> None:
        with self.target.transaction() as transaction:
            for table in ACCOUNTING.sources:
                transaction.set_load_ends(topic_of(table.name), table.name, 1, {0: 0})
                transaction.set_loaded(table.name, 1)

    def event(self, table: str, key: int, operation: Operation, **columns: Value) -> Event:
        """The next commit of the source."""
        self._number += 1
        known = {column.name: None for column in ACCOUNTING.source(table).columns}
        number = self._number
        is_read = operation is Operation.READ
        return Event(
            table=table,
            key=str(key),
            operation=operation,
            row={**known, ACCOUNTING.source(table).table.key[0]: key, **columns},
            position="" if is_read else postgres_position(1, f'["{number}","{number}"]'),
            place=TopicOffset(1, 0, number),
            committed_at=NOW,
            epoch=1,
            snapshot_ended=not is_read,
        )

    def entry(self, key: int, operation: Operation = Operation.CREATE, **columns: Value) -> Event:
        """A transaction of the project that its key falls to."""
        project = (key - 1) % self.projects + 1
        held: dict[str, Value] = {
            "tProject": project,
            "tActivity": 1,
            "tEmployee": 1,
            "tEmployeeType": 1,
            "tDate": date(2026, 11, 27),
            "tUnits": Decimal("7.5"),
            "tCostAmount": Decimal(300),
            "tSpentAmount": Decimal(500),
            "tBilledAmount": Decimal(0),
            "tIsBillable": True,
            "tIsDeleted": False,
            "tIsCurrent": True,
        }
        return self.event("AxTransaction", key, operation, **{**held, **columns})

    def take(self, events: Sequence[Event]) -> float:
        """Seconds until these events' totals are committed."""
        consumer = Consumer(self.target, events, route=ACCOUNTING)
        started = time.monotonic()
        for start in range(0, len(events), BATCH):
            consumer.take(events[start : start + BATCH])
        return time.monotonic() - started


def costs(stack: Stack, transactions: int) -> Costs:
    """What changes cost beside so many transactions."""
    books = Books(stack, max(DAY_PROJECTS, transactions // A_PROJECT))
    books.filled(transactions)
    rng = random.Random(1)
    one = [
        books.take([books.entry(rng.randrange(transactions) + 1, Operation.UPDATE)])
        for _ in range(REPEATS)
    ]
    invoice = [
        books.take([books.event("AxClientInvoice", number * 2 + 1, Operation.UPDATE, ciStatus=2)])
        for number in range(REPEATS)
    ]
    written = "SELECT sum(n_tup_upd) FROM pg_stat_user_tables WHERE relname = 'PR'"
    before = books.ask(written)
    day = books.take(
        [
            books.entry(
                transactions + 1 + number % DAY_PROJECTS + number // DAY_PROJECTS * books.projects
            )
            for number in range(DAY)
        ]
    )
    size = books.ask(f"SELECT pg_total_relation_size('{STATE}.\"mirror_AxTransaction\"')")
    return Costs(
        transactions,
        statistics.median(one) * 1000,
        statistics.median(invoice) * 1000,
        day,
        books.ask(written) - before,
        size / (transactions + DAY),
    )


def first_load(stack: Stack, transactions: int) -> FirstLoad:
    """A snapshot of so many transactions through the processor, then everything is loaded."""
    books = Books(stack, max(DAY_PROJECTS, transactions // A_PROJECT))
    books.take(
        [
            *(books.event("AxActivity", key, Operation.READ, actType=key) for key in range(1, 4)),
            *(
                books.event("AxProject", key, Operation.READ, prjStatus=1)
                for key in range(1, books.projects + 1)
            ),
        ]
    )
    seconds = 0.0
    for start in range(0, transactions, BATCH):
        keys = range(start + 1, min(start + BATCH, transactions) + 1)
        seconds += books.take([books.entry(key, Operation.READ) for key in keys])
    started = time.monotonic()
    books.loaded()
    with books.target.transaction() as transaction:
        transaction.mark_table("AxProject", 1, NOW)
    processor = Consumer(books.target, (), route=ACCOUNTING).processor
    while processor.drain(patiently, waiting_retry_seconds=0):
        pass
    finished = time.monotonic() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return FirstLoad(transactions, transactions / seconds, finished, memory)


@click.command()
@click.option(
    "--transactions",
    default=600_000,
    show_default=True,
    help="The most; also a tenth and a hundredth.",
)
@click.option("--load", default=60_000, show_default=True, help="Transactions of the first load.")
def main(*, transactions: int, load: int) -> None:
    """Print what changes cost beside few transactions and beside many, and a first load."""
    with running_stack(console.print, parts=("postgres",)) as stack:
        report(stack, transactions, load)


def report(stack: Stack, transactions: int, load: int) -> None:
    found = [costs(stack, max(transactions // by, AN_INVOICE)) for by in (100, 10, 1)]
    table = Table(
        *("transactions", "one, ms", "invoice, ms", "day, s", "PR rows", "bytes"),
        title="accounting: one changed transaction and one invoice made final (medians of 20),"
        " a day's 10,000 time entries for 200 projects, rows of PR written for them, and bytes of"
        " state a transaction",
    )
    for one in found:
        table.add_row(
            f"{one.transactions:,}",
            f"{one.one_ms:.1f}",
            f"{one.invoice_ms:.1f}",
            f"{one.day_seconds:.1f}",
            f"{one.day_rows:,}",
            f"{one.bytes_each:.0f}",
        )
    console.print(table)
    loaded = first_load(stack, load)
    console.print(
        f"first load: {loaded.transactions:,} transactions, {loaded.a_second:,.0f} a second, then"
        f" {loaded.finish_seconds:.1f} s until totals stand; {loaded.memory_mb:.0f} MB at most"
    )


if __name__ == "__main__":
    main()
