"""Schema, status and check on real databases, with Kafka, registry and Connect away."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import tomli_w
from click.testing import CliRunner
from psycopg import sql

from deploy.local.stack import Stack
from deploy.sample import databases
from deploy.sample.naming import Naming
from pipeline.cli.main import main
from pipeline.errors import ExitCode
from pipeline.kafka.errors import REQUEST_TIMEOUT_SECONDS

pytestmark = pytest.mark.postgres
AWAY = "127.0.0.1:1"
NAMES = iter(range(1_000))


@dataclass
class Site:
    """Both databases, and the settings file that names them."""

    config: Path
    ajera: psycopg.Connection
    pim: psycopg.Connection

    def command(self, *words: str, expect: int = ExitCode.OK) -> dict[str, Any]:
        result = CliRunner().invoke(main, ["--config", str(self.config), *words, "--json"])
        assert result.exit_code == expect, result.output
        answer: dict[str, Any] = json.loads(result.stdout)["data"]
        return answer

    def lines(self, area: str) -> dict[str, dict[str, Any]]:
        """What `check` says of an area, by name."""
        result = CliRunner().invoke(
            main,
            [
                "--config",
                str(self.config),
                "check",
                "--only",
                area,
                "--json",
            ],
        )
        answer = json.loads(result.stdout)
        lines = answer["data"]["lines"]
        assert {line["area"] for line in lines} == {area}
        assert (
            answer["ok"]
            == all(line["is_ok"] for line in lines)
            == (result.exit_code == ExitCode.OK)
        )
        return {line["name"]: line for line in lines}


@pytest.fixture
def site(postgres: Stack, tmp_path: Path) -> Iterator[Site]:
    """Two databases of the sample, without the sync schema."""
    number = next(NAMES)
    ajera_url = postgres.create_database(f"cli_ajera_{number}")
    pim_url = postgres.create_database(f"cli_pim_{number}")
    databases.create_ajera(ajera_url, Naming())
    databases.create_pim(pim_url, Naming())
    config = tmp_path / "ajera-cdc.toml"
    raw = {
        "sources": {"ajera": {"database": ajera_url}},
        "routes": {"pim": {"database": pim_url}},
        "kafka": {"bootstrap_servers": AWAY},
        "registry": {"url": f"http://{AWAY}"},
        "connect": {"url": f"http://{AWAY}"},
    }
    config.write_text(tomli_w.dumps(raw))
    with (
        databases.connect(ajera_url) as ajera,
        databases.connect(pim_url) as pim,
    ):
        yield Site(config, ajera, pim)


@pytest.fixture
def reader(site: Site, postgres: Stack) -> Iterator[str]:
    """A user who may read and no more, in whose name `site` goes on."""
    name = f"reader_{next(NAMES)}"
    raw = site.config.read_text()
    site.ajera.execute(
        sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'secret'").format(sql.Identifier(name))
    )
    for connection in (site.ajera, site.pim):
        connection.execute(sql.SQL("GRANT pg_read_all_data TO {}").format(sql.Identifier(name)))
    theirs = f"{postgres.postgres_user}:{postgres.postgres_password}@"
    assert theirs in raw
    site.config.write_text(raw.replace(theirs, f"{name}:secret@"))
    yield name
    site.ajera.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(name)))


def test_the_schema_is_shown_created_and_left_alone_the_second_time(
    site: Site,
) -> None:
    """Found before, found after; both times the version that this program needs."""
    (before,) = site.command("schema", "show")["schemas"]
    assert before["found"] is None
    (made,) = site.command("schema", "upgrade")["schemas"]
    assert made["found"] is None
    (after,) = site.command("schema", "show")["schemas"]
    assert after["found"] == after["needed"] == before["needed"]
    (again,) = site.command("schema", "upgrade")["schemas"]
    assert again["found"] == before["needed"]


def test_status_tells_what_sync_knows_while_everything_else_is_away(
    site: Site,
) -> None:
    """Counts, what waits and for what, and the names of those who did not answer."""
    site.command("schema", "upgrade")
    now = datetime.now(UTC)
    site.pim.execute(
        (
            "INSERT INTO sync.progress (topic, partition, incarnation, next_offset, events_read,"
            " written, skipped, parked,"
            " dead_lettered, dead_in_a_row, updated_at) VALUES ('ajera.AxVec', 0, 1, 10, 10, 6,"
            " 2, 1, 1, 0, %s)"
        ),
        [now],
    )
    for key in ("3", "1", "2"):
        site.pim.execute(
            "INSERT INTO sync.due (kind, key, number, set_at, reason, code, tried_at)"
            " VALUES ('AxContact', %s, 1, %s, 'waits for a row of AxVec', 'row.missing', %s)",
            [key, now, now],
        )
    site.pim.execute(
        "INSERT INTO sync.due (kind, key, number, set_at) VALUES ('AxVec', '9', 1, %s)",
        [now],
    )
    begun = time.monotonic()
    found = site.command("status", "--keys", "2", expect=ExitCode.ENVIRONMENT)
    assert time.monotonic() - begun < REQUEST_TIMEOUT_SECONDS  # nobody listens: 1 s on its own
    state = found["routes"][0]["state"]
    (partition,), (parked,) = state["partitions"], state["parked"]
    assert (
        partition["next_offset"],
        partition["written"],
        partition["dead_lettered"],
    ) == (10, 6, 1)
    assert (
        parked["kind"],
        parked["code"],
        parked["count"],
        parked["keys"],
    ) == (
        "AxContact",
        "row.missing",
        3,
        ["1", "2"],
    )
    assert parked["hint"]
    assert state["due"] == 1
    assert {table["state"] for table in state["tables"]} == {"waiting"}
    assert len(found["unavailable"]) == 2


def test_status_without_the_schema_says_how_to_make_it(site: Site) -> None:
    """It is one of those that did not answer."""
    found = site.command("status", expect=ExitCode.ENVIRONMENT)
    assert "ajera-cdc schema upgrade" in next(
        each for each in found["unavailable"] if each.startswith("schema.outdated")
    )


def test_check_finds_databases_that_are_as_they_should_be(
    site: Site,
) -> None:
    """Nothing to do in either."""
    site.command("schema", "upgrade")
    assert [
        line for area in ("Ajera", "PIM") for line in site.lines(area).values() if not line["is_ok"]
    ] == []


def test_check_names_a_missing_and_a_retyped_column_with_the_lines_that_need_them(
    site: Site,
) -> None:
    """And leaves a column alone that nobody needs."""
    site.ajera.execute('ALTER TABLE "AxVec" DROP COLUMN "vecZip"')
    site.ajera.execute('ALTER TABLE "AxVec" ALTER COLUMN "vecFax" TYPE integer USING 0')
    site.ajera.execute('ALTER TABLE "AxVec" DROP COLUMN "vecClientNotes"')
    line = site.lines("Ajera")["table AxVec"]
    assert not line["is_ok"]
    assert "vecZip is missing, needed by" in line["found"]
    assert "Post Code" in line["found"]
    assert "vecFax is INTEGER" in line["found"]
    assert "Fax Number" in line["found"]
    assert "vecClientNotes" not in line["found"]


def test_check_names_what_the_target_lacks(site: Site) -> None:
    """A column, and the sync schema: both at once."""
    site.pim.execute('ALTER TABLE "Contact" DROP COLUMN "Job Title"')
    lines = site.lines("PIM")
    assert "Contact.Job Title" in lines["tables"]["found"]
    assert "schema upgrade" in lines["sync schema"]["action"]


def test_check_says_what_to_grant_to_a_user_who_may_only_read(site: Site, reader: str) -> None:
    """In Ajera reading is enough, but for replication; PIM and sync must be written."""
    del reader
    lines = site.lines("Ajera")
    assert lines["table AxVec"]["is_ok"]
    assert (
        lines["replication"]["is_ok"],
        "REPLICATION" in lines["replication"]["action"],
    ) == (False, True)
    todo = site.lines("PIM")["rights on PIM's tables"]["action"]
    assert 'GRANT INSERT, UPDATE ON "public"."Organization"' in todo
    assert 'GRANT INSERT, UPDATE, DELETE ON "public"."Project_Contact"' in todo


def test_check_says_what_to_grant_on_the_sync_schema(
    site: Site, request: pytest.FixtureRequest
) -> None:
    """Once it exists, every table of it must be written."""
    site.command("schema", "upgrade")
    request.getfixturevalue("reader")
    line = site.lines("PIM")["rights on the sync schema"]
    assert not line["is_ok"]
    assert 'GRANT INSERT, UPDATE, DELETE ON "sync"."due"' in line["action"]


def test_what_a_command_changed_is_listed_and_a_refusal_as_well(site: Site) -> None:
    """The newest first, with who typed it and who wrote it into PIM's database."""
    site.command("schema", "upgrade")
    site.command("schema", "show")
    refused = CliRunner().invoke(
        main, ["--config", str(site.config), "replay", "--topic", "nothing", "--to-beginning"]
    )
    assert refused.exit_code == ExitCode.USAGE
    lines = site.command("audit")["lines"]
    assert [(line["command"], line["outcome"]) for line in lines] == [
        ("replay", "cli.usage"),
        ("schema upgrade", "ok"),
    ]
    assert lines[0]["arguments"] == "--topic nothing --to-beginning"
    assert {line["route"] for line in lines} == {"pim"}
    user = site.pim.execute("SELECT current_user").fetchone()
    assert user == (lines[0]["database_user"],)
    assert len(site.command("audit", "--limit", "1")["lines"]) == 1


def test_a_row_that_a_skipped_message_has_changed_is_shown_until_it_is_forgotten(
    site: Site,
) -> None:
    """With the command that reads it again; of a row that will never come, a person says so."""
    site.command("schema", "upgrade")
    insert = (
        "INSERT INTO sync.skipped_message VALUES"
        " ('ajera.AxVec', 1, 0, %s, %s, 'decode.contract', 'operator', now())"
    )
    for offset, key in ((41, '{"vecKey":7}'), (43, '{"vecKey":8}'), (60, "spoiled")):
        site.pim.execute(insert, [offset, key])

    def told() -> list[dict[str, Any]]:
        problems = site.command("status", expect=ExitCode.ENVIRONMENT)["problems"]
        return [one for one in problems if "skipped" in one["what"]]

    (problem,) = told()
    assert "3 messages were skipped of ajera.AxVec partition 0 (offsets 41 to" in problem["what"]
    assert problem["command"] == "ajera-cdc backfill ajera AxVec"
    words = ("skip", "ajera.AxVec", "0", "42..", "--forget")
    assert site.command(*words, "--dry-run")["offsets"] == [43, 60]
    assert site.command(*words, "--yes")["done"] is True
    (problem,) = told()
    assert problem["command"] == "ajera-cdc backfill ajera AxVec --key '7'"
    assert site.command("skip", "ajera.AxVec", "0", "41", "--forget", "--yes")["done"] is True
    assert told() == []
