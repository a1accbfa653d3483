"""How long an edit takes to the other system, through both captures, under a steady load both ways;
by the databases' clock.

Both databases are on one server,
so that one clock tells when an edit was made and when the other system was written.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from deploy.demo import settings
from deploy.demo.consumers import EXCHANGE, command, running
from deploy.local.stack import Stack
from deploy.sample import databases, firm
from deploy.sample.naming import Naming
from tests.bench.exchange import both_empty, client
from tests.bench.report import Delays, Line, Say
from tests.bench.targets import apart
from tests.bench.waiting import wait

FIRMS = 200
WARM = 20  # edits that are not counted: the first batches after a start
EDITS_A_SECOND = 20.0
# What our consumers write is logged with the time;
# `current_setting` tells their connections from ours.
ARRIVALS = """
CREATE TABLE arrival (value text PRIMARY KEY, at timestamptz NOT NULL);
CREATE FUNCTION arrived() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF current_setting('application_name') = 'ajera-cdc' THEN
        INSERT INTO arrival VALUES (NEW.{column}, clock_timestamp()) ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER arrived AFTER UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION arrived();
"""


@dataclass(frozen=True, slots=True)
class End:
    """Where edits are made and arrive on one side."""

    table: str
    column: str
    key: str


AJERA = End("AxVec", "vecWebsite", "vecKey")
DPS = End("Clendor", "WebSite", "ClientID")


def measure(stack: Stack, seconds: int, say: Say) -> list[Line]:
    """Edits each way for so long, each of a firm that the other side does not edit meanwhile."""
    edits = int(EDITS_A_SECOND * seconds)
    ajera_url, dps_url = both_empty(stack, "delay")
    config = apart(settings.write(stack, ajera_url, None, dps=dps_url), "delay")
    for words in (
        ("schema", "upgrade"),
        ("connectors", "apply"),
        ("connectors", "apply", "--source", "dps"),
    ):
        command(config, *words)
    with (
        databases.connect(ajera_url) as ajera,
        databases.connect(dps_url) as in_dps,
    ):
        firm.insert(
            ajera,
            Naming(),
            "AxVec",
            [client(key) for key in range(1, FIRMS + 1)],
        )
        with running(config, stack.logs, 1, EXCHANGE) as members:
            wait(members, lambda: _linked(in_dps) == FIRMS)
            for connection, end in ((ajera, AJERA), (in_dps, DPS)):
                table, column = (
                    sql.Identifier(end.table),
                    sql.Identifier(end.column),
                )
                connection.execute(sql.SQL(ARRIVALS).format(table=table, column=column))
            made = _edit(ajera, in_dps, edits + WARM)
            wait(
                members,
                lambda: _arrived(in_dps) >= edits + WARM and _arrived(ajera) >= edits + WARM,
            )
        found = {
            "Ajera to DPS": _delays(in_dps, made["ajera"]),
            "DPS to Ajera": _delays(ajera, made["dps"]),
        }
    lines = [
        Line(f"delay, {EDITS_A_SECOND:.0f}/s each way", way, len(delays), delays=Delays.of(delays))
        for way, delays in found.items()
    ]
    for line in lines:
        say(f"{line.what}, {line.who}: {line.cells()[-1]} ms")
    return lines


def _edit(
    ajera: psycopg.Connection, in_dps: psycopg.Connection, edits: int
) -> dict[str, dict[str, datetime]]:
    """By side: what was typed, and when, at a steady rate. Ajera edits the first half of the firms,
    DPS the others.
    """
    keys = [key for (key,) in in_dps.execute('SELECT "ClientID" FROM "Clendor" ORDER BY "Name"')]
    halves = (
        ("ajera", ajera, AJERA, itertools.cycle(range(1, FIRMS // 2))),
        ("dps", in_dps, DPS, itertools.cycle(_of_the_others(in_dps, keys))),
    )
    made: dict[str, dict[str, datetime]] = {"ajera": {}, "dps": {}}
    started = time.monotonic()
    for number in range(edits):
        for side, connection, end, of in halves:
            typed = f"{side}.example/{number}"
            statement = sql.SQL(
                "UPDATE {} SET {} = %s WHERE {} = %s RETURNING clock_timestamp()"
            ).format(*(sql.Identifier(name) for name in (end.table, end.column, end.key)))
            ((at,),) = connection.execute(statement, (typed, next(of))).fetchall()
            made[side][typed] = at
        time.sleep(
            max(
                0.0,
                started + (number + 1) / EDITS_A_SECOND - time.monotonic(),
            )
        )
    return made


def _of_the_others(in_dps: psycopg.Connection, keys: list[str]) -> list[str]:
    linked: dict[str, str] = dict(
        in_dps.execute("SELECT dps_key, ajera_key FROM sync.link WHERE entity = 'firm'").fetchall()
    )
    return [key for key in keys if int(linked[key]) > FIRMS // 2]


def _linked(in_dps: psycopg.Connection) -> int:
    ((count,),) = in_dps.execute("SELECT count(*) FROM sync.link WHERE state = 'linked'").fetchall()
    return int(count)


def _arrived(connection: psycopg.Connection) -> int:
    ((count,),) = connection.execute("SELECT count(*) FROM arrival").fetchall()
    return int(count)


def _delays(connection: psycopg.Connection, made: Mapping[str, datetime]) -> list[float]:
    """Of all edits but the first ones.
    An edit whose firm was edited again before it arrived is missed: that raises KeyError.
    """
    arrived: dict[str, datetime] = dict(
        connection.execute("SELECT value, at FROM arrival").fetchall()
    )
    return [(arrived[value] - at).total_seconds() for value, at in list(made.items())[WARM:]]
