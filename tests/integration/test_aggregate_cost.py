"""What one changed row among many costs: its own root's rows, found by indexes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import sqlalchemy as sa

from deploy.local.stack import Stack
from pipeline.database.sql.dialect import Cells
from pipeline.database.sql.engine import create_engine
from pipeline.database.sql.postgres import Postgres
from pipeline.database.state.added import AddedColumns
from pipeline.database.state.schema import sync_metadata
from pipeline.database.transaction import DatabaseTransaction
from pipeline.mapping.aggregate import Aggregate
from pipeline.mapping.site import Site
from pipeline.model.event import Value
from tests.support.plans import read
from tests.support.statements import Recorder
from tests.support.totals import CONDITIONED, LINES, TOTALS

pytestmark = pytest.mark.postgres
FIRMS, JOBS, ENTRIES = 3_000, 9_000, 90_000
BLANK = "'', 1, 0, 0, false, '', 1, now(), '', ''"
LEDGER = """position, incarnation, "partition", "offset", deleted, unknown, epoch, committed_at,
 retired_at, changed_at"""


@pytest.fixture(scope="module")
def filled(postgres: Stack) -> Iterator[sa.Connection]:
    """Firms with three jobs each, and ten entries in each job; the planner knows."""
    engine = create_engine(postgres.create_database("aggregate_cost"))
    with engine.connect() as connection:
        connection.execute(sa.schema.CreateSchema("sync"))
        sync_metadata("sync", TOTALS.sources).create_all(connection)
        for table, columns, values, count in (
            (
                "Job",
                '"jobKey", "jobFirm", "jobStatus", "jobLead"',
                f"i, i % {FIRMS}, i % 4, i % {FIRMS}",
                JOBS,
            ),
            ("Share", '"shareKey", "shareFirm", "shareJob"', f"i, i % {FIRMS}, i % {JOBS}", JOBS),
            ("Person", '"personKey", "personName"', "i, 'n'", FIRMS),
            ("Invoice", '"invoiceKey", "invoiceStatus"', "i, i % 4", JOBS),
            (
                "Entry",
                '"entryKey", "entryJob", "entryAmount", "entryInvoice"',
                f"i, i % {JOBS}, 1.5, i % {JOBS}",
                ENTRIES,
            ),
        ):
            connection.execute(
                sa.text(
                    f'INSERT INTO sync."mirror_{table}" ("key", revision, {LEDGER}, {columns})'
                    f" SELECT CAST(i AS text), 1, {BLANK}, {values}"
                    f" FROM generate_series(1, {count}) AS i"
                )
            )
        connection.execute(sa.text("ANALYZE"))
        connection.commit()
        yield connection
    engine.dispose()


class Noting(Recorder):
    """What is sent, with its parameters."""

    def __init__(self) -> None:
        super().__init__(Postgres())
        self.parameters: dict[str, dict[str, Value]] = {}

    def run(
        self, place: str, sql: str, rows: Sequence[Cells], **parameters: Value
    ) -> list[tuple[Value, ...]]:
        self.parameters[sql] = parameters
        return super().run(place, sql, rows, **parameters)


@pytest.mark.parametrize("roots", [1, 20])
@pytest.mark.parametrize("lines", [LINES, CONDITIONED])
def test_one_root_among_many_is_recomputed_by_indexes(
    filled: sa.Connection, roots: int, lines: tuple[Aggregate, ...]
) -> None:
    """No mirror is read whole; the rows that are read are those of these roots, and each row that
    a condition asks is found by its key.
    """
    recorder = Noting()
    transaction = DatabaseTransaction(recorder, TOTALS, Site(), "sync", None, AddedColumns(()))
    transaction.aggregated(lines, ["1"])
    rows = Postgres().parameters([(str(root),) for root in range(1, roots + 1)])
    assert len(recorder.parameters) == 5  # one a way, and the rows between of two ways
    for sql, constants in recorder.parameters.items():
        given = {**rows, **constants}
        (explained,) = filled.execute(sa.text(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}"), given).one()
        found = [*read(explained[0]["Plan"])]
        filled.rollback()
        assert found
        assert [one for one in found if one[1] == "Seq Scan"] == []
        assert sum(count for _, _, count in found) <= roots * 3 * 10
