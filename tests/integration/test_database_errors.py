"""What a real PostgreSQL refuses, and why it cannot be reached: each has its own code and sentence,
names the database and what it is about, and shows no password.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from deploy.local.stack import Stack
from pipeline.database.sql.engine import create_engine
from pipeline.database.sql.postgres import Postgres
from pipeline.database.sql.session import ConnectedSession, translated
from pipeline.errors import (
    ConnectionsExhausted,
    CredentialsRefused,
    DatabaseMissing,
    HostUnknown,
    PipelineError,
    RightMissing,
    ServiceUnreachable,
    TableMissing,
    TlsRefused,
)

SECRET = "open-sesame"


@pytest.fixture(scope="module")
def clerk(postgres: Stack) -> Iterator[URL]:
    """A database with a table, and a user who may do nothing with it."""
    url = make_url(postgres.create_database("refusals"))
    with _connected(url) as owner:
        owner.execute(f"CREATE ROLE clerk LOGIN PASSWORD '{SECRET}'")
        owner.execute(f"CREATE ROLE crowded LOGIN PASSWORD '{SECRET}' CONNECTION LIMIT 0")
        owner.execute(f"CREATE ROLE visitor LOGIN PASSWORD '{SECRET}'")
        owner.execute("REVOKE CONNECT ON DATABASE refusals FROM PUBLIC")
        owner.execute("GRANT CONNECT ON DATABASE refusals TO clerk, crowded")
        owner.execute('CREATE TABLE "Project Status" ("Name" text, "Completed" text)')
        owner.execute('GRANT SELECT ("Name") ON "Project Status" TO clerk')
        owner.execute("CREATE TABLE open (name text)")
        owner.execute("GRANT ALL ON open TO clerk")
    yield url.set(username="clerk", password=SECRET)
    with _connected(url.set(database="postgres")) as owner:
        owner.execute("DROP DATABASE refusals WITH (FORCE)")
        owner.execute("DROP ROLE clerk, crowded, visitor")


def _connected(url: URL) -> psycopg.Connection[Any]:
    return psycopg.connect(
        url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    )


def failure(url: URL) -> PipelineError:
    """Why this URL cannot be connected to."""
    engine = create_engine(url.render_as_string(hide_password=False), name="PIM")
    try:
        with pytest.raises(PipelineError) as failed, translated(engine, "the catalogue"):
            engine.connect()
    finally:
        engine.dispose()
    return failed.value


@pytest.fixture(scope="module")
def unused() -> Iterator[int]:
    """A port that is bound, and never listened on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize(
    ("change", "fault", "says"),
    [
        ({"password": "open-says-me"}, CredentialsRefused, "(PostgreSQL 28P01)"),
        ({"password": None}, CredentialsRefused, "(PostgreSQL 28P01)"),
        ({"username": "nobody"}, CredentialsRefused, "(PostgreSQL 28P01)"),
        ({"database": "nowhere"}, DatabaseMissing, "(PostgreSQL 3D000)"),
        ({"username": "visitor"}, RightMissing, "PostgreSQL 42501 at the login"),
        ({"username": "crowded"}, ConnectionsExhausted, "(PostgreSQL 53300)"),
        ({"host": "no-such-host.invalid"}, HostUnknown, "no host of that name is known"),
        ({"query": {"sslmode": "require"}}, TlsRefused, "do not agree on encryption"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_each_way_of_not_being_let_in_has_its_own_code(
    clerk: URL, change: dict[str, Any], fault: type[PipelineError], says: str
) -> None:
    """None is called busy; libpq tells them in words alone."""
    url = clerk.set(**{key: value for key, value in change.items() if value is not None})
    if change.get("password", "") is None:
        url = URL.create("postgresql", clerk.username, None, clerk.host, clerk.port, clerk.database)
    found = failure(url)
    assert type(found) is fault
    assert says in str(found)
    assert f"PIM at {url.host}:{url.port}/{url.database} as {url.username}: " in str(found)
    assert SECRET not in found.sentence
    assert "open-says-me" not in found.sentence
    assert "ajera-cdc check" in found.hint


def test_a_port_on_which_nobody_listens_is_named(clerk: URL, unused: int) -> None:
    """A server that is down looks the same, so a consumer waits for it."""
    found = failure(clerk.set(port=unused))
    assert type(found) is ServiceUnreachable
    assert f"127.0.0.1:{unused}" in str(found)
    assert "nothing listens there" in str(found)


def test_a_server_that_is_none_is_told_from_one_that_is_down(clerk: URL) -> None:
    """The port of something else: it accepts the connection, and ends it."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(5)
        engine = create_engine(
            clerk.set(port=listening.getsockname()[1]).render_as_string(hide_password=False),
            name="PIM",
            connect_timeout_seconds=1,
        )
        with (
            pytest.raises(ServiceUnreachable, match="a server listens there"),
            translated(engine, "the catalogue"),
        ):
            engine.connect()


@pytest.mark.parametrize(
    ("sql", "fault", "says"),
    [
        ('UPDATE "Project Status" SET "Name" = :value', RightMissing, "42501"),
        ('SELECT "Completed" FROM "Project Status" WHERE "Name" = :value', RightMissing, "42501"),
        ("SELECT nothing FROM open WHERE name = :value", TableMissing, "42703"),
        ("SELECT name FROM closed WHERE name = :value", TableMissing, "42P01"),
        ("SELECT name FROM attic.open WHERE name = :value", TableMissing, "42P01"),
        ("CREATE SCHEMA attic AUTHORIZATION clerk", RightMissing, "42501"),
    ],
)
def test_a_statement_that_is_refused_names_what_it_is_about(
    clerk: URL, sql: str, fault: type[PipelineError], says: str
) -> None:
    """Table, column and schema are no row values; those stay out."""
    engine = create_engine(clerk.render_as_string(hide_password=False), name="PIM")
    try:
        with pytest.raises(PipelineError) as failed, engine.begin() as connection:
            ConnectedSession(connection, Postgres()).tell("a table", sql, value="Jane Doe")
    finally:
        engine.dispose()
    found = failed.value
    named = {
        'UPDATE "Pro': "table Project Status",
        'SELECT "Com': "table Project Status",
        "SELECT noth": "column nothing",
        "SELECT name": "table closed" if "closed" in sql else "table attic.open",
        "CREATE SCHE": "database refusals",
    }[sql[:11]]
    assert type(found) is fault
    assert str(found).endswith(f"PostgreSQL {says} at a table, {named}")
    assert "Jane" not in found.sentence
    assert "`ajera-cdc check`" in found.hint


def test_what_a_trigger_says_with_a_servers_code_is_not_repeated(
    clerk: URL, postgres: Stack
) -> None:
    """Its text may hold a row."""
    with _connected(make_url(postgres.postgres_url("refusals"))) as owner:
        owner.execute(
            "CREATE FUNCTION says() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
            "'permission denied for table %', NEW.name USING ERRCODE = '42501'; END $$"
        )
        owner.execute(
            "CREATE TRIGGER says BEFORE INSERT ON open FOR EACH ROW EXECUTE FUNCTION says()"
        )
    engine = create_engine(clerk.render_as_string(hide_password=False), name="PIM")
    try:
        with pytest.raises(RightMissing) as failed, engine.begin() as connection:
            ConnectedSession(connection, Postgres()).tell(
                "open", "INSERT INTO open VALUES (:value)", value="Jane Doe"
            )
    finally:
        engine.dispose()
    assert "Jane" not in failed.value.sentence


def test_a_plain_engine_is_named_by_its_url() -> None:
    """One that nobody gave a name to."""
    with (
        pytest.raises(ServiceUnreachable, match="the database at"),
        translated(engine := sa.create_engine("postgresql+psycopg://clerk@127.0.0.1:1/pim"), "x"),
    ):
        engine.connect()
