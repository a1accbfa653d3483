"""The accounting part of the benchmark: what a changed transaction, an invoice made final and a
day's time entries cost among few transactions and among many; and a first load.

The processor is fed with events, over PostgreSQL and without Kafka: the other parts have what
reading and decoding cost. Mirrors are filled by SQL, so that only what is measured takes time.
"""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass

import click
from rich.table import Table

from deploy.local.stack import Stack, running_stack
from pipeline.model.event import Operation
from tests.bench import first_load
from tests.bench.books import (
    A_PROJECT,
    AN_INVOICE,
    DAY,
    DAY_PROJECTS,
    REPEATS,
    STATE,
    Books,
    console,
)


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
    first_load.report(stack, load)


if __name__ == "__main__":
    main()
