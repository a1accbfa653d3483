"""The sample of the two-way sync: what it promises is in it, a seed gives one, and its days run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from deploy.local.stack import Stack
from deploy.sample import crm, crm_day, databases, day, dps, firm
from deploy.sample.naming import Naming

ROOT = Path(__file__).parents[4]
OTHER_NAMES = ROOT / "deploy" / "sample" / "other-names.toml"
CONTRACTS = sorted((ROOT / "schemas" / "dps").glob("*.avsc"))
pytestmark = pytest.mark.postgres


@dataclass
class Pair:
    """Ajera and DPS of one firm."""

    ajera: psycopg.Connection
    dps: psycopg.Connection
    naming: Naming

    def of_ajera(self, text: str) -> list[tuple[Any, ...]]:
        return list(self.ajera.execute(sql.SQL(self.naming.sql(text))))

    def of_dps(self, text: str) -> list[tuple[Any, ...]]:
        return list(self.dps.execute(sql.SQL(self.naming.sql(text))))

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows but for the times of change, which the clock gives."""
        found = {
            table: self.of_ajera(f"SELECT * FROM {{{table}}} ORDER BY 1")
            for table in databases.AJERA_TABLES
        }
        found |= {
            table: self.of_ajera(f"SELECT * FROM {{{table}}} ORDER BY 1")
            for table in databases.AJERA_LISTS
        }
        for table in (*dps.DPS_CAPTURED, *dps.DPS_LISTS):
            rows = self.of_dps(
                f"SELECT to_jsonb(t) - 'ModDate' - 'CreateDate' FROM {{{table}}} AS t"
            )
            found[table] = sorted(rows, key=str)
        return found


@contextmanager
def pair_of(
    stack: Stack, name: str, *, naming: Naming | None = None, seed: int = 7
) -> Iterator[Pair]:
    naming = naming or Naming()
    ajera_url, dps_url = (
        stack.create_database(f"crm_{name}_ajera"),
        stack.create_database(f"crm_{name}_dps"),
    )
    databases.create_ajera(ajera_url, naming)
    dps.create_dps(dps_url, naming)
    with (
        databases.connect(ajera_url) as ajera,
        databases.connect(dps_url) as target,
    ):
        firm.load(ajera, seed, naming)
        crm.load(ajera, target, seed, naming)
        yield Pair(ajera, target, naming)


@pytest.fixture(scope="module")
def loaded(postgres: Stack) -> Iterator[Pair]:
    with pair_of(postgres, "loaded") as pair:
        yield pair


def folded(rows: list[tuple[Any, ...]]) -> list[str]:
    return [
        " ".join(str(part) for part in row if part is not None).strip().casefold() for row in rows
    ]


# What Debezium's PostgreSQL connector sends of a column: its Avro type.
AVRO: Mapping[str, object] = {
    "smallint": "int",
    "timestamp without time zone": {
        "type": "long",
        "connect.name": "io.debezium.time.MicroTimestamp",
    },
    "numeric": {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 10},
}


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)
def test_a_contract_names_columns_that_the_table_has(loaded: Pair, path: Path) -> None:
    """A column that the contract lets be null may be; a key may not."""
    contract = json.loads(path.read_text())
    rows = loaded.of_dps(
        "SELECT column_name, is_nullable, data_type FROM information_schema.columns"
        f" WHERE table_name = '{path.stem}'"
    )
    table = {name: (nullable, kind) for name, nullable, kind in rows}
    for column in contract["fields"]:
        nullable, kind = table[column["name"]]
        assert nullable == "NO" or "null" in column["type"], column["name"]
        assert AVRO.get(kind, "string") in column["type"], column["name"]


@pytest.mark.parametrize("seed", [1, 7, 2026])
def test_the_sample_holds_what_it_promises(postgres: Stack, seed: int) -> None:
    """Pairs by name, one name twice, caps that are passed, and what only one side has."""
    with pair_of(postgres, f"counts_{seed}", seed=seed) as pair:
        clients = folded(
            pair.of_ajera("SELECT {AxVec.vecDescription} FROM {AxVec} WHERE {AxVec.vecSyncToCRM}")
        )
        firms = Counter(folded(pair.of_dps("SELECT {Clendor.Name} FROM {Clendor}")))
        assert len(set(clients)) == 250
        assert sorted(firms[name] for name in clients if firms[name]) == [1] * 150 + [2]
        projects = folded(
            pair.of_ajera(
                "SELECT {AxProject.prjDescription} FROM {AxProject} WHERE {AxProject.prjSyncToCRM}"
            )
        )
        named = set(folded(pair.of_dps("SELECT {PR.LongName} FROM {PR} WHERE {PR.WBS2} = ' '")))
        assert len(set(projects)) == 250
        assert len(named & set(projects)) == 120
        flagged = (
            "SELECT count(*) FROM {Contacts} WHERE {Contacts.AjeraSync} = 'Y'"
            " AND {Contacts.ClientID} IS NOT NULL"
        )
        assert sorted(pair.of_dps(f"{flagged} GROUP BY {{Contacts.ClientID}}"))[-2:] in (
            [(4,), (7,)],
            [(5,), (7,)],
        )
        on_projects = "SELECT count(*) FROM {PRContactAssoc} GROUP BY {PRContactAssoc.WBS1}"
        assert sorted(pair.of_dps(on_projects))[-2:] == [(3,), (6,)]
        assert pair.of_ajera(
            "SELECT count(*) FROM {AxProject} WHERE {AxProject.prjProjectType} = 6"
        ) == [(2,)]
        assert pair.of_dps("SELECT count(*) FROM {EM}") == [(10,)]


def test_a_seed_gives_one_sample_and_one_day(postgres: Stack) -> None:
    """Twice the same rows, so that a fault can be met again;
    but for the keys that the days draw from the database.
    """
    found = []
    for name in ("one", "two"):
        with pair_of(postgres, name, seed=3) as pair:
            before = pair.contents()
            ajera, target = (
                day.Day(3, pair.naming),
                crm_day.CrmDay(3, pair.naming),
            )
            kinds = [(ajera.next_edit(pair.ajera), target.next_edit(pair.dps)) for _ in range(150)]
            found.append((before, kinds, pair.contents()))
    assert found[0] == found[1]


@pytest.mark.parametrize("names", ["vendor", "other"])
def test_both_days_run_long_and_go_on_after_a_restart(postgres: Stack, names: str) -> None:
    """Whatever the sites call their tables."""
    naming = Naming() if names == "vendor" else Naming.load(OTHER_NAMES)
    with pair_of(postgres, f"days_{names}", naming=naming) as pair:
        kinds = set()
        for _ in range(2):
            ajera, target = day.Day(11, naming), crm_day.CrmDay(11, naming)
            for _ in range(250):
                ajera.next_edit(pair.ajera)
                kinds.add(target.next_edit(pair.dps).kind)
        assert len(kinds) > 20
        assert pair.of_dps(
            "SELECT count(*) FROM {Clendor} WHERE {Clendor.Name} = 'NEVER COMMITTED'"
        ) == [(0,)]


def test_a_row_without_a_key_gets_one_that_no_day_takes(
    postgres: Stack,
) -> None:
    """The pipeline inserts while people work."""
    with pair_of(postgres, "keys") as pair:
        staff = day.Day(5, pair.naming)
        for _ in range(200):
            staff.next_edit(pair.ajera)
            for table in (
                "AxVec",
                "AxContact",
                "AxInvoiceGroup",
                "AxProjectContact",
            ):
                pair.ajera.execute(
                    sql.SQL(pair.naming.sql(f"INSERT INTO {{{table}}} DEFAULT VALUES"))
                )
            pair.ajera.execute(
                sql.SQL(
                    pair.naming.sql("INSERT INTO {AxProject} ({AxProject.prjStatus}) VALUES (1)")
                )
            )
        ((lowest,),) = pair.of_ajera("SELECT min({AxProjectContact.pcKey}) FROM {AxProjectContact}")
        assert lowest == 1_000_000


@pytest.mark.parametrize("table", dps.DPS_CAPTURED)
def test_a_captured_table_refuses_to_be_truncated(loaded: Pair, table: str) -> None:
    """Rows would vanish without an event each."""
    with pytest.raises(psycopg.errors.RaiseException, match="use DELETE"):
        loaded.dps.execute(sql.SQL(loaded.naming.sql(f"TRUNCATE {{{table}}} CASCADE")))
