"""The sample firm's books: what they promise is in them, a seed gives one, and their day runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from deploy.local.stack import Stack
from deploy.sample import books, crm, crm_books, crm_day, databases, day, dps, firm
from deploy.sample.accounting_tables import BOOKS
from deploy.sample.naming import Naming

OTHER_NAMES = Path(__file__).parents[4] / "deploy" / "sample" / "other-names.toml"
pytestmark = pytest.mark.postgres


@dataclass
class Pair:
    """Ajera and DPS of one firm that keeps books."""

    ajera: psycopg.Connection
    dps: psycopg.Connection
    naming: Naming

    def of_ajera(self, text: str) -> list[tuple[Any, ...]]:
        return list(self.ajera.execute(sql.SQL(self.naming.sql(text))))

    def of_dps(self, text: str) -> list[tuple[Any, ...]]:
        return list(self.dps.execute(sql.SQL(self.naming.sql(text))))

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows but for the times of change, which the clock gives."""
        tables = (*BOOKS, "AxProject", "AxResource")
        found = {name: self.of_ajera(f"SELECT * FROM {{{name}}} ORDER BY 1") for name in tables}
        for name in ("PR", "EMProjectAssoc"):
            rows = self.of_dps(
                f"SELECT to_jsonb(t) - 'ModDate' - 'CreateDate' FROM {{{name}}} AS t"
            )
            found[name] = sorted(rows, key=str)
        return found


@contextmanager
def kept(stack: Stack, name: str, *, naming: Naming | None = None, seed: int = 7) -> Iterator[Pair]:
    naming = naming or Naming()
    urls = stack.create_database(f"books_{name}"), stack.create_database(f"books_{name}_dps")
    databases.create_ajera(urls[0], naming)
    dps.create_dps(urls[1], naming)
    with databases.connect(urls[0]) as ajera, databases.connect(urls[1]) as target:
        firm.load(ajera, seed, naming)
        crm.load(ajera, target, seed, naming)
        books.load(ajera, seed, naming)
        crm_books.load(ajera, target, seed, naming)
        yield Pair(ajera, target, naming)


@pytest.fixture(scope="module")
def loaded(postgres: Stack) -> Iterator[Pair]:
    with kept(postgres, "loaded") as pair:
        yield pair


@pytest.mark.parametrize("table", BOOKS)
def test_a_table_of_the_books_is_filled_and_refuses_to_be_truncated(
    loaded: Pair, table: str
) -> None:
    """Rows would vanish without an event each."""
    assert loaded.of_ajera(f"SELECT 1 FROM {{{table}}} LIMIT 1")
    with pytest.raises(psycopg.errors.RaiseException, match="use DELETE"):
        loaded.of_ajera(f"TRUNCATE {{{table}}}")


@pytest.mark.parametrize("seed", [1, 2026])
def test_the_books_are_large_enough_for_a_comparison(postgres: Stack, seed: int) -> None:
    """Twenty thousand transactions or so, and most of them on what is shared with DPS."""
    with kept(postgres, f"size_{seed}", seed=seed) as pair:
        ((transactions,),) = pair.of_ajera("SELECT count(*) FROM {AxTransaction}")
        assert 16_000 < transactions < 26_000
        ((shared,),) = pair.of_ajera(
            "SELECT count(*) FROM {AxTransaction} JOIN {AxProject} ON {AxTransaction.tProject} ="
            " {AxProject.prjKey} JOIN {AxProject} AS top ON top.{AxProject.prjKey} IN"
            " ({AxProject}.{AxProject.prjKey}, {AxProject}.{AxProject.prjProject})"
            " WHERE top.{AxProject.prjSyncToCRM}"
        )
        assert shared > transactions / 2
        statuses = Counter(
            status
            for (status,) in pair.of_ajera(
                "SELECT {AxClientInvoice.ciStatus} FROM {AxClientInvoice}"
            )
        )
        assert min(statuses[status] for status in (0, 1, 2, None)) > 0


def test_phases_go_six_levels_deep_and_some_are_of_marketing(loaded: Pair) -> None:
    """Counted from the projects down."""
    levels = loaded.of_ajera(
        "WITH RECURSIVE below AS ("
        " SELECT {AxProject.prjKey} AS key, 0 AS level, {AxProject.prjStatus} AS status"
        " FROM {AxProject} WHERE COALESCE({AxProject.prjProject}, 0) IN (0, {AxProject.prjKey})"
        " UNION ALL SELECT p.{AxProject.prjKey}, level + 1, p.{AxProject.prjStatus}"
        " FROM {AxProject} AS p JOIN below ON p.{AxProject.prjProject} = key"
        " AND p.{AxProject.prjProject} <> p.{AxProject.prjKey})"
        " SELECT level, count(*), count(*) FILTER (WHERE status = 6) FROM below GROUP BY 1"
        " ORDER BY 1"
    )
    assert [level for level, _, _ in levels] == list(range(7))
    assert sum(marketing for level, _, marketing in levels if level) > 20


UNTYPED = "SELECT {AxActivity.actKey} FROM {AxActivity} WHERE {AxActivity.actType} IS NULL"
LOST = "SELECT {AxProject.prjKey} FROM {AxProject} WHERE {AxProject.prjProject} = 8888888"
EMPLOYEE_TYPES = "SELECT {AxEmployeeType.etKey} FROM {AxEmployeeType}"


@pytest.mark.parametrize(
    "where",
    [
        "{AxTransaction.tActivity} IS NULL",
        f"{{AxTransaction.tActivity}} IN ({UNTYPED})",
        "{AxTransaction.tProject} = 0",
        f"{{AxTransaction.tProject}} IN ({LOST})",
        "{AxTransaction.tIsDeleted} IS NULL",
        "{AxTransaction.tIsCurrent} IS NULL",
        "{AxTransaction.tIsBillable} IS NULL",
        "{AxTransaction.tUnits} < 0",
        "{AxTransaction.tSpentAmount} > 10000000000000",
        "{AxTransaction.tCostAmount} <> round({AxTransaction.tCostAmount}, 3)",
        f"{{AxTransaction.tEmployeeType}} NOT IN ({EMPLOYEE_TYPES})",
    ],
)
def test_each_odd_case_is_in_the_books(loaded: Pair, where: str) -> None:
    """What a real Ajera holds somewhere."""
    assert loaded.of_ajera(f"SELECT 1 FROM {{AxTransaction}} WHERE {where}")


def test_an_older_sync_has_left_its_rows_in_dps(loaded: Pair) -> None:
    """Team rows with hours, those that people put there have none; and totals."""
    rows = "SELECT count(*), count({EMProjectAssoc.Hours}) FROM {EMProjectAssoc}"
    ((team, with_hours),) = loaded.of_dps(rows)
    assert 0 < with_hours < team
    assert loaded.of_dps("SELECT 1 FROM {PR} WHERE {PR.AjeraSpentLabor} IS NOT NULL")


def test_a_seed_gives_one_set_of_books_and_one_day(postgres: Stack) -> None:
    """Twice the same rows, so that a fault can be met again."""
    found = []
    for name in ("one", "two"):
        with kept(postgres, name, seed=3) as pair:
            before = pair.contents()
            ajera = day.Day(3, pair.naming, has_books=True)
            target = crm_day.CrmDay(3, pair.naming, has_books=True)
            kinds = [(ajera.next_edit(pair.ajera), target.next_edit(pair.dps)) for _ in range(100)]
            found.append((before, kinds, pair.contents()))
    assert found[0] == found[1]


@pytest.mark.parametrize("names", ["vendor", "other"])
def test_the_books_day_runs_long_and_goes_on_after_a_restart(postgres: Stack, names: str) -> None:
    """Whatever the site calls its tables; and every kind of edit is met."""
    naming = Naming() if names == "vendor" else Naming.load(OTHER_NAMES)
    with kept(postgres, f"days_{names}", naming=naming) as pair:
        kinds = set()
        for _ in range(2):
            ajera = day.Day(11, naming, has_books=True)
            target = crm_day.CrmDay(11, naming, has_books=True)
            for _ in range(500):
                kinds.add(ajera.next_edit(pair.ajera).kind)
                kinds.add(target.next_edit(pair.dps).kind)
        assert {
            *("entered time", "rewrote an entry", "deleted an entry", "moved an entry"),
            *("corrected an entry by a negative one", "restored an entry"),
            *("re-typed an activity", "renamed an employee type"),
            *("made an invoice final", "opened an invoice again", "deleted a draft invoice"),
            *("entered a receipt", "changed a receipt", "a client invoice", "a budget"),
            *("changed a budget", "moved a phase to another project", "closed a project"),
            *("a phase became one of marketing", "a marketing phase was won"),
            *("opened a project again", "changed a project's dates", "typed over a total"),
            *("typed over a date", "edited a team row", "put somebody on a team by hand"),
        } <= kinds
