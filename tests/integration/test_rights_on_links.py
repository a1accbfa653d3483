"""What a projection's user may do with the tables of the exchange whose links it follows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from deploy.local.stack import Stack
from pipeline.conflicts.link import Link, LinkSide, State
from pipeline.conflicts.rules import Side
from pipeline.database.pairs import DatabaseLinkTransaction
from pipeline.database.sql.engine import create_engine, dialect_of
from pipeline.database.sql.session import ConnectedSession
from pipeline.database.state.migrate import upgrade
from pipeline.database.systems.grants import missing_rights, rights_on_links
from pipeline.database.systems.rows import Names
from pipeline.database.target import DatabaseTarget
from pipeline.mapping.observed import PutBackValue
from pipeline.mapping.site import Site
from tests.support.events import NOON
from tests.support.linked import LINKED, PROJECT, project_key

pytestmark = pytest.mark.postgres
OWN = "own"
ROLE = "reader_of_links"


def test_the_rights_that_check_names_are_those_that_following_links_needs(postgres: Stack) -> None:
    """Without them `check` names each; with them alone links are followed, locked, and what people
    typed is logged.
    """
    url = postgres.create_database("rights_on_links")
    owner = create_engine(url)
    upgrade(owner, part="dps")
    upgrade(owner, OWN, mirrored=LINKED.sources)
    halves = LinkSide("AxProject", "7"), LinkSide("PR", project_key("P-7"))
    link = Link("link of 7", PROJECT, *halves, state=State.LINKED)
    with owner.begin() as connection:
        session = ConnectedSession(connection, dialect_of(owner))
        names = Names(Site(), Side.DPS, None)
        DatabaseLinkTransaction(session, "sync", names).store([(link, None)])
    made = (
        f"CREATE ROLE {ROLE} LOGIN PASSWORD 'secret'",
        f"GRANT USAGE ON SCHEMA sync, {OWN} TO {ROLE}",
        f"GRANT ALL ON ALL TABLES IN SCHEMA {OWN} TO {ROLE}",
    )
    run(owner, *made)
    address = sa.make_url(url).set(username=ROLE, password="secret")
    engine = create_engine(address.render_as_string(hide_password=False))
    missing = missing_rights(engine, "sync", rights_on_links(engine))
    assert len(missing) == 4
    run(owner, *(f"{one} TO {ROLE}" for one in missing))
    assert missing_rights(engine, "sync", rights_on_links(engine)) == []
    with DatabaseTarget(engine, LINKED, Site(), OWN, None, "sync").transaction() as transaction:
        assert transaction.follow_links([PROJECT]) == {PROJECT}
        assert transaction.linked_keys(PROJECT, ["7"]) == {"7": project_key("P-7")}
        assert transaction.take_link_changes(9) == []
        edit = PutBackValue(("AxProject", "7"), "PR.Fee", None, None)
        transaction.log_put_back(PROJECT, [edit], NOON)
    engine.dispose()
    with owner.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM sync.conflict")) == 1
    run(owner, f"DROP OWNED BY {ROLE}", f"DROP ROLE {ROLE}")
    owner.dispose()


def run(engine: sa.Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for one in statements:
            connection.execute(sa.text(one))
