"""Linked pairs that the first release left behind are carried over by the real migrations, and go
on.

`dps_0001.sql` and `ajera_0001.sql` hold our schemas and the systems' rows as that release kept
them, written by `write_exchange.py` in that tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from psycopg import sql

from deploy.local.stack import Stack
from pipeline.conflicts.rules import Side
from pipeline.database.sql.engine import create_engine
from pipeline.database.state import migrate
from pipeline.database.state.migrate import Part
from pipeline.database.state.schema_links import AJERA_SCHEMA
from tests.support.outbox import World, world
from tests.upgrades.write_exchange import OURS

pytestmark = pytest.mark.postgres
FOLDER = Path(__file__).parent
PARTS: dict[Side, Part] = {Side.AJERA: "ajera", Side.DPS: "dps"}
TABLES = {Side.AJERA: ("AxVec", "AxContact", "AxProject"), Side.DPS: ("Clendor", "Contacts", "PR")}


@pytest.fixture
def left(postgres: Stack) -> Iterator[World]:
    """Both systems as the release left them, before `schema upgrade`; everything that was committed
    under it was read.
    """
    with world(postgres) as found:
        for side in Side:
            text = (FOLDER / f"{side}_0001.sql").read_text(encoding="utf-8")
            connection = found.connection(side)
            connection.execute(sql.SQL(f"DROP SCHEMA {OURS[side]} CASCADE"))
            connection.execute("SET session_replication_role = replica")
            connection.execute(text.encode())
            connection.execute("SET session_replication_role = DEFAULT")
        yield found


def upgraded(found: World) -> None:
    """`schema upgrade` in both databases; both are captured from here on under a later epoch."""
    for side in Side:
        engine = create_engine(found.urls[side])
        schema = AJERA_SCHEMA if side is Side.AJERA else "sync"
        migrate.upgrade(engine, schema, part=PARTS[side])
        migrate.require_latest(engine, schema, PARTS[side])
        engine.dispose()
    found.restart()


def held(found: World) -> dict[str, Sequence[object]]:
    """Every row of the main tables, with the transaction that wrote it."""
    return {
        table: found.connection(side)
        .execute(
            sql.SQL("SELECT xmin::text, t::text FROM {} t ORDER BY 2").format(sql.Identifier(table))
        )
        .fetchall()
        for side in Side
        for table in TABLES[side]
    }


def test_a_new_snapshot_of_both_sides_after_an_upgrade_writes_nothing(left: World) -> None:
    """Every pair is read again, in a later epoch: nobody edited anything."""
    before, links = held(left), left.dps.execute("SELECT count(*) FROM sync.link").fetchone()
    assert links is not None
    assert links[0] >= 75
    upgraded(left)
    for side in Side:
        left.capture_again(side)
    left.settle()
    assert held(left) == before
    assert left.writes(Side.AJERA) == left.writes(Side.DPS) == []


def test_an_edit_of_each_side_after_an_upgrade_reaches_the_other(left: World) -> None:
    """The first one, and the second; of pairs that the release linked."""
    upgraded(left)
    for side in Side:
        left.capture_again(side)
    left.settle()
    for name in ("Once", "Twice"):
        left.edit(Side.AJERA, "AxVec", 3, vecDescription=f"{name} in Ajera")
        left.edit(Side.DPS, "Clendor", "F6", Name=f"{name} in DPS")
        left.settle()
        assert f"{name} in Ajera" in left.rows(Side.DPS, "Clendor", "Name")
        assert f"{name} in DPS" in left.rows(Side.AJERA, "AxVec", "vecDescription")
