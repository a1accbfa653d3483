"""Who may make temporary tables stages many rows at once; who may not goes row by row. The same
PIM.
"""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from deploy.local.stack import Stack
from pipeline.database.sql.engine import create_engine
from pipeline.database.target import DatabaseTarget
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.mapping.site import Site
from pipeline.model.event import Event
from tests.support.engine import Consumer, fresh_target, pim_rows
from tests.support.events import event

pytestmark = pytest.mark.postgres

ROWS = 150
USER, SECRET = "stager", "open-sesame"


def events() -> list[Event]:
    """Rows of three kinds, some of them changed again, and one that a snapshot read."""
    found = [
        event("AxVec", key, at=key, vecIsClient=key % 3 > 0, vecIsEmployee=key % 3 == 0)
        for key in range(1, ROWS + 1)
    ]
    again = [event("AxVec", key, at=ROWS + key, vecDescription=f"V{key}") for key in range(1, 20)]
    read = [event("AxVec", ROWS + 1, "r", at=2 * ROWS, vecIsClient=True)]
    return [*found, *again, *read]


def staged(target: DatabaseTarget, batch: list[Event]) -> bool:
    """Were rows taken at once. Twice the same batch: the second time all is stale."""
    consumer = Consumer(target, batch)
    consumer.take(batch)
    consumer.take(batch)
    consumer.drain()
    with target.transaction() as transaction:
        return transaction.takes_plain


def test_who_may_not_make_temporary_tables_stages_row_by_row(postgres: Stack) -> None:
    """PUBLIC may on a new database, and a firm may have taken that away."""
    free, target = fresh_target(postgres.create_database("bulk-free"))
    assert staged(target, events())
    url = make_url(postgres.create_database("bulk-bound"))
    owner, _ = fresh_target(url.render_as_string(hide_password=False))
    with owner.begin() as connection:
        connection.execute(sa.text(f"CREATE ROLE {USER} LOGIN PASSWORD '{SECRET}'"))
        connection.execute(sa.text('REVOKE TEMP ON DATABASE "bulk-bound" FROM PUBLIC'))
        for schema in ("public", "sync"):
            connection.execute(sa.text(f"GRANT USAGE ON SCHEMA {schema} TO {USER}"))
            connection.execute(sa.text(f"GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {USER}"))
    bound = create_engine(
        url.set(username=USER, password=SECRET).render_as_string(hide_password=False)
    )
    assert not staged(DatabaseTarget(bound, AJERA_TO_PIM, Site()), events())
    assert pim_rows(owner) == pim_rows(free)
    for engine in (free, bound):
        engine.dispose()
    with owner.begin() as connection:
        connection.execute(sa.text(f"DROP OWNED BY {USER}"))
        connection.execute(sa.text(f"DROP ROLE {USER}"))
    owner.dispose()
