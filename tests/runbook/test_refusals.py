"""Pages of databases that do not let us in, or lack what we need."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import tomli_w
from sqlalchemy.engine import URL, make_url

from deploy.local.stack import Stack
from deploy.sample import databases
from deploy.sample.naming import Naming
from tests.support.runbook import OnCall

pytestmark = pytest.mark.postgres
SECRET = "open-sesame"
USER = "runbook_pim"


class Firm:
    """PIM's database with a user of its own, and settings that name both."""

    def __init__(self, folder: Path, owner: psycopg.Connection, url: URL) -> None:
        self.config = folder / "ajera-cdc.toml"
        self.owner = owner
        self.url = url

    def set(self, url: URL | None = None) -> None:
        """Write the settings, with another address of PIM."""
        shown = (url or self.url).render_as_string(hide_password=False)
        ajera = self.url.set(database="ajera").render_as_string(hide_password=False)
        raw = {"sources": {"ajera": {"database": ajera}}, "routes": {"pim": {"database": shown}}}
        self.config.write_text(tomli_w.dumps(raw))


@pytest.fixture(scope="module")
def database(postgres: Stack) -> Iterator[URL]:
    url = make_url(postgres.create_database("runbook_refusals"))
    plain = url.render_as_string(hide_password=False)
    databases.create_pim(plain, Naming())
    with databases.connect(plain) as owner:
        owner.execute(f"CREATE ROLE {USER} LOGIN PASSWORD '{SECRET}'")
        owner.execute(f"GRANT CREATE ON DATABASE runbook_refusals TO {USER}")
        owner.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {USER}")
    yield url
    with databases.connect(postgres.postgres_url("postgres")) as owner:
        owner.execute("DROP DATABASE runbook_refusals WITH (FORCE)")
        owner.execute(f"DROP ROLE {USER}")


@pytest.fixture
def firm(database: URL, tmp_path: Path) -> Iterator[Firm]:
    with databases.connect(database.render_as_string(hide_password=False)) as owner:
        made = Firm(tmp_path, owner, database.set(username=USER, password=SECRET))
        made.set()
        OnCall(made.config, "schema.outdated").type_("ajera-cdc schema upgrade")
        yield made


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("environment.credentials", lambda url: url.set(password="open-says-me")),
        ("environment.credentials", lambda url: url.set(username="nobody")),
        ("environment.database", lambda url: url.set(database="nowhere")),
        ("environment.host", lambda url: url.set(host="no-such-host.invalid")),
        ("environment.tls", lambda url: url.set(query={"sslmode": "require"})),
    ],
)
def test_a_wrong_address_is_named_and_corrected(
    code: str, wrong: Callable[[URL], URL], firm: Firm
) -> None:
    """In the settings; the password is shown nowhere."""
    person = OnCall(firm.config, code)
    firm.set(wrong(firm.url))
    shown = person.look(AREA="PIM")
    assert code in shown
    assert SECRET not in shown
    assert "open-says-me" not in shown
    assert not person.is_over(AREA="PIM")
    firm.set()
    person.heal(AREA="PIM")
    assert person.is_over(AREA="PIM")


def test_a_driver_that_cannot_be_loaded_is_named_and_installed(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL's here; the library is missing in this process."""
    person = OnCall(firm.config, "environment.driver")
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "psycopg", None)
        shown = person.look(AREA="PIM")
        assert person.code in shown
        assert "postgresql+psycopg cannot be loaded" in shown
        assert "pip install" in shown
        assert not person.is_over(AREA="PIM")
    person.heal(AREA="PIM")
    assert person.is_over(AREA="PIM")


def test_a_user_without_a_free_connection_gets_one(firm: Firm) -> None:
    """The limit is raised."""
    person = OnCall(firm.config, "environment.connections")
    firm.owner.execute(f"ALTER ROLE {USER} CONNECTION LIMIT 0")
    assert person.code in person.look(AREA="PIM")
    firm.owner.execute(f"ALTER ROLE {USER} CONNECTION LIMIT -1")
    person.heal(AREA="PIM")
    assert person.is_over(AREA="PIM")


def test_a_right_that_was_revoked_is_granted_again_with_what_check_prints(firm: Firm) -> None:
    """On one table of the target."""
    person = OnCall(firm.config, "schema.rights")
    firm.owner.execute(f'REVOKE UPDATE ON "Organization" FROM {USER}')
    shown = person.look(AREA="PIM")
    assert "Organization" in shown
    assert "GRANT" in shown
    assert not person.is_over(AREA="PIM")
    firm.owner.execute(f'GRANT UPDATE ON "Organization" TO {USER}')
    person.heal(AREA="PIM")
    assert person.is_over(AREA="PIM")


def test_a_table_that_is_gone_is_named_and_brought_back(firm: Firm) -> None:
    """Renamed in the target."""
    person = OnCall(firm.config, "schema.missing")
    firm.owner.execute('ALTER TABLE "Organization" RENAME TO "Firm"')
    assert "Organization" in person.look(AREA="PIM")
    assert not person.is_over(AREA="PIM")
    firm.owner.execute('ALTER TABLE "Firm" RENAME TO "Organization"')
    person.heal(AREA="PIM")
    assert person.is_over(AREA="PIM")
