"""Pages of faults that databases alone bring about: schemas, names and rights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import tomli_w

from deploy.local.stack import Stack
from deploy.sample import databases
from deploy.sample.naming import Naming
from pipeline.conflicts.rules import Side
from tests.support.outbox import World, world
from tests.support.runbook import OnCall

pytestmark = pytest.mark.postgres


@pytest.fixture
def pim(postgres: Stack, tmp_path: Path) -> Iterator[psycopg.Connection]:
    """A PIM database, and settings that name it: `ajera-cdc.toml` in the test's folder."""
    ajera_url, pim_url = (
        postgres.create_database(f"runbook_{tmp_path.name[-20:].lower()}_{name}")
        for name in ("ajera", "pim")
    )
    databases.create_ajera(ajera_url, Naming())
    databases.create_pim(pim_url, Naming())
    raw = {"sources": {"ajera": {"database": ajera_url}}, "routes": {"pim": {"database": pim_url}}}
    (tmp_path / "ajera-cdc.toml").write_text(tomli_w.dumps(raw))
    with databases.connect(pim_url) as connection:
        yield connection


@pytest.mark.usefixtures("pim")
def test_a_schema_that_is_missing_is_created(tmp_path: Path) -> None:
    """As after an upgrade of the program."""
    person = OnCall(tmp_path / "ajera-cdc.toml", "schema.outdated")
    assert person.code in person.type_("ajera-cdc audit").shown
    assert "(none)" in person.look()
    person.heal()
    assert person.is_over()
    assert person.type_("ajera-cdc audit").exit_code == 0


def test_a_column_of_the_target_that_was_renamed_is_found_and_renamed_back(
    pim: psycopg.Connection, tmp_path: Path
) -> None:
    """Or named in the site profile."""
    person = OnCall(tmp_path / "ajera-cdc.toml", "schema.target")
    person.type_("ajera-cdc schema upgrade")
    pim.execute('ALTER TABLE "Organization" RENAME COLUMN "Post Code" TO "Zip"')
    assert "Post Code" in person.look()
    assert not person.is_over()
    pim.execute('ALTER TABLE "Organization" RENAME COLUMN "Zip" TO "Post Code"')
    person.heal()
    assert person.is_over()


@pytest.fixture(scope="module")
def firm(postgres: Stack) -> Iterator[World]:
    with world(postgres) as made:
        yield made


def test_choices_that_nobody_made_are_made_before_anything_is_linked(
    firm: World, tmp_path: Path
) -> None:
    """The rehearsal ends with a table."""
    config = firm.settings_file(tmp_path, dps={"employees": None, "consultants": None})
    person = OnCall(config, "config.choice_missing")
    assert person.code in person.type_("ajera-cdc link --dry-run").shown
    person.look()
    firm.settings_file(tmp_path, dps={"employees": "none", "consultants": "none"})
    person.heal()


def test_time_that_cannot_be_read_is_read_once_its_table_is_named_right(
    firm: World, tmp_path: Path
) -> None:
    """Or once the right is granted, or another choice is made."""
    firm.do(Side.AJERA, 'ALTER TABLE "AxTransaction" RENAME TO "AxTime"')
    config = firm.settings_file(tmp_path, dps={"employees": "on_linked_projects"})
    person = OnCall(config, "config.time_unreadable")
    assert person.code in person.type_("ajera-cdc link --dry-run").shown
    person.look()
    profile = '[source.AxTransaction]\nname = "AxTime"\n'
    firm.settings_file(tmp_path, dps={"employees": "on_linked_projects"}, profile=profile)
    person.heal()


def test_a_version_that_is_none_is_replaced_by_what_ajera_shows(
    firm: World, tmp_path: Path
) -> None:
    """The direction of the exchange depends on it."""
    person = OnCall(firm.settings_file(tmp_path, version="newest"), "config.version")
    assert person.code in person.type_("ajera-cdc link --dry-run").shown
    assert "newest" in person.look()
    firm.settings_file(tmp_path)
    person.heal()
