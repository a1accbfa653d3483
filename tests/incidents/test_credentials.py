"""Incidents of access: wrong credentials of each kind, and rights that were revoked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from deploy.demo.consumers import EXCHANGE, TO_PIM
from deploy.local.processes import free_port
from tests.incidents.firm import Firm
from tests.incidents.seen import Seen
from tests.support.live import wait_until

pytestmark = pytest.mark.stack


@dataclass(frozen=True)
class Kind:
    """What somebody typed wrong in an address, and the code that tells it."""

    wrong: Callable[[URL], URL]
    code: str


KINDS = {
    "password": Kind(lambda url: url.set(password="wrong-secret"), "environment.credentials"),
    "user": Kind(lambda url: url.set(username="nobody_here"), "environment.credentials"),
    "database": Kind(lambda url: url.set(database="no_such_firm"), "environment.database"),
    "port": Kind(lambda url: url.set(port=free_port()), "environment.unreachable"),
    "host": Kind(lambda url: url.set(host="no-such-host.invalid"), "environment.host"),
}
SECTIONS = {TO_PIM: ("routes", "pim"), EXCHANGE: ("sources", "dps")}


def address(firm: Firm, route: str) -> URL:
    """Of the database that keeps a route's state."""
    area, name = SECTIONS[route]
    return make_url(firm.live.settings()[area][name]["database"])


def use(firm: Firm, route: str, url: URL) -> None:
    area, name = SECTIONS[route]
    text = url.render_as_string(hide_password=False)
    firm.live.configure(**{area: {name: {"database": text}}})


@pytest.mark.parametrize("route", SECTIONS)
def test_an_address_is_wrong(firm: Firm, route: str) -> None:
    """In each way: status and the consumer name the fault, the address and the user, and never the
    password. Corrected, everything that was edited meanwhile arrives.
    """
    right = address(firm, route)
    people = [firm.person(code) for code in dict.fromkeys(one.code for one in KINDS.values())]
    with firm.edits():
        for kind in KINDS.values():
            one = kind.wrong(right)
            use(firm, route, one)
            firm.stop(route)
            firm.begin(route)
            wait_until(partial(firm.has_begun, route), "the process runs, or has ended")
            seen = firm.shows(partial(both_say, firm, route, kind.code), f"both say {kind.code}")
            assert seen.status_code != 0
            assert "target.busy" not in seen.problems + firm.said(route)
            assert f"{one.host}:{one.port}/{one.database} as {one.username}" in seen.problems
            assert "wrong-secret" not in seen.problems + firm.said(route)
        use(firm, route, right)
        firm.restart(route)
        for person in people:
            assert "wrong-secret" not in person.look()
            person.heal()
        firm.wait_until_healthy()
    assert all(person.is_over() for person in people)


def both_say(firm: Firm, route: str, code: str, seen: Seen) -> bool:
    """Status; and the consumer in its log. One that is refused at its start has ended, and a
    monitoring system gets no metrics of it; one that finds no server waits, and says so.
    """
    is_told = code in seen.problems and code in firm.said(route)
    if firm.has_ended(route):
        return is_told and not seen.metrics[route]
    return is_told and bool(
        code in seen.reasons(route)
        and seen.metric(route, "pipeline_retries_total", code=code)
        and seen.metric(route, "pipeline_degraded_state")
    )


AREAS = {TO_PIM: "PIM", EXCHANGE: "DPS"}  # as check calls their databases
# A table of PIM halts alone; the exchange halts before the event that needs the table.
HALTED = {TO_PIM: "pipeline_halted_place_state", EXCHANGE: "pipeline_halted_partitions"}


@dataclass(frozen=True)
class Right:
    """A right on one table of a route's target, and who loses it."""

    route: str
    table: str


@pytest.mark.parametrize(
    "right", [Right(TO_PIM, "Organization"), Right(EXCHANGE, "Clendor")], ids=lambda one: one.route
)
def test_a_right_on_one_table_is_revoked(firm: Firm, right: Right) -> None:
    """The table is named, and the right; other tables continue. Granted again, everything that
    waited arrives.
    """
    whole, role = address(firm, right.route), f"{firm.live.name}-{right.route}"
    limited = whole.set(username=role, password="limited")
    connection = firm.live.pim if right.route == TO_PIM else firm.dps
    person = firm.person("schema.rights")
    table = sql.Identifier(right.table)
    create(firm, right.route, role)
    use(firm, right.route, limited)
    firm.restart(right.route)
    with firm.edits():
        connection.execute(
            sql.SQL("REVOKE UPDATE ON {} FROM {}").format(table, sql.Identifier(role))
        )
        halted = HALTED[right.route]
        seen = firm.shows(
            lambda seen: seen.says(person.code) and seen.metric(right.route, halted),
            f"status or a health says {person.code}, and a metric that something is halted",
        )
        assert seen.health[right.route]["state"] == "halted"
        assert right.table in person.look(AREA=AREAS[right.route])
        if right.route == TO_PIM:
            firm.live.edit('UPDATE "AxProject" SET "prjDescription" = %s WHERE "prjKey" = 3', "On")
            wait_until(lambda: firm.live.project(3, "Name") == "On", "projects continue")
        connection.execute(sql.SQL("GRANT UPDATE ON {} TO {}").format(table, sql.Identifier(role)))
        firm.wait_until_healthy()
    use(firm, right.route, whole)
    firm.restart(right.route)


def create(firm: Firm, route: str, role: str) -> None:
    """A user with every right on the tables of a database, as a firm gives them."""
    connection = firm.live.pim if route == TO_PIM else firm.dps
    name = sql.Identifier(role)
    connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'limited'").format(name))
    for schema in ("public", "sync"):
        connection.execute(
            sql.SQL(
                "GRANT USAGE ON SCHEMA {0} TO {1}; GRANT ALL ON ALL TABLES IN SCHEMA {0} TO {1};"
                "GRANT ALL ON ALL SEQUENCES IN SCHEMA {0} TO {1}"
            ).format(sql.Identifier(schema), name)
        )
