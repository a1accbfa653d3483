"""A DPS database beside Ajera's books, as the accounting part of the benchmark needs it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import sqlalchemy as sa
from rich.console import Console

from deploy.local.stack import Stack
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
from tests.support.engine import Consumer, topic_of

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
FILLED_AT_ONCE = 500_000  # rows a statement, which has a minute
BLANK = "'', 1, 0, 0, false, '', 1, now(), '', ''"
LEDGER = """position, incarnation, "partition", "offset", deleted, unknown, epoch, committed_at,
 retired_at, changed_at"""


def link_projects(engine: sa.Engine, projects: int) -> None:
    """So many rows of DPS, each linked to the project of its number."""
    links = [
        Link(
            f"p{key}",
            "project",
            LinkSide("AxProject", str(key)),
            LinkSide("PR", dps.PR.key_text((f"P{key}", " ", " "))),
            State.LINKED,
        )
        for key in range(1, projects + 1)
    ]
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                'INSERT INTO "PR" ("WBS1", "WBS2", "WBS3", "Name", "Status", "AjeraSync")'
                " SELECT 'P' || i, ' ', ' ', 'Project ' || i, 'A', 'Y'"
                f" FROM generate_series(1, {projects}) AS i"
            )
        )
        session = ConnectedSession(connection, dialect_of(engine))
        names = Names(Site(), Side.DPS, None)
        DatabaseLinkTransaction(session, "sync", names).store([(one, None) for one in links])


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
        link_projects(self.engine, projects)
        with self.target.transaction() as transaction:
            follow(transaction, ACCOUNTING, NOW)

    def run(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))

    def ask(self, statement: str) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(sa.text(statement)).scalar_one())

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
        for start in range(1, count + 1, FILLED_AT_ONCE):
            end = min(start + FILLED_AT_ONCE - 1, count)
            self.run(
                f'INSERT INTO {STATE}."mirror_{table}" ("key", revision, {LEDGER}, {names})'
                f" SELECT CAST(i AS text), 1, {BLANK}, {', '.join(columns.values())}"
                f" FROM generate_series({start}, {end}) AS i"
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

    def read_project(self, key: int) -> Event:
        """A project, or a phase one level below the row before."""
        above = key - self.projects if key > self.projects else None
        return self.event("AxProject", key, Operation.READ, prjStatus=1, prjProject=above)

    def wrong(self, transactions: int) -> int:
        """Projects that do not show the sum of so many entries."""
        return self.ask(
            'SELECT count(*) FROM "PR" LEFT JOIN (SELECT (i - 1) % '
            f"{self.projects} + 1 AS project, count(*) * 500 AS spent"
            f" FROM generate_series(1, {transactions}) AS i GROUP BY 1) AS entered"
            " ON \"WBS1\" = 'P' || project"
            ' WHERE "AjeraSpentLabor" IS DISTINCT FROM coalesce(spent, 0)'
        )

    def take(self, events: Sequence[Event]) -> float:
        """Seconds until these events' totals are committed."""
        consumer = Consumer(self.target, events, route=ACCOUNTING)
        started = time.monotonic()
        for start in range(0, len(events), BATCH):
            consumer.take(events[start : start + BATCH])
        return time.monotonic() - started
