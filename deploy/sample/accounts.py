"""The judge of the accounting tabs: does DPS show of every project what Ajera's books say.

Of the product's own tables it reads which rows are a pair, and nothing else. A project is compared
that is linked, flagged on both sides and open: a closed one keeps what was written last, and is
only counted. Of rows it tells table and key, never a value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import psycopg
from psycopg import sql

from deploy.sample import accounts_sql
from deploy.sample.accounting_tables import BUDGETS, COSTS, DATES, TOTALS
from deploy.sample.agreement_rows import one_moment
from deploy.sample.naming import Naming

# By the setting `crm`: what its tabs show.
FULL: Final = (*TOTALS, *BUDGETS, *DATES, *COSTS)
COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "dps": FULL,
    "vantagepoint": FULL,
    "ajera_crm": (*TOTALS, *BUDGETS),
    "simple_crm": (*DATES, *COSTS),
}
WITHOUT_TEAM_DATES: Final = frozenset({"ajera_crm"})
LINKS: Final = "SELECT ajera_key, dps_key FROM sync.link WHERE entity = %s AND state = 'linked'"

# Number, employee and role in small letters: DPS on SQL Server does not distinguish them.
Team = dict[tuple[str, str, str], tuple[Decimal | None, date | None]]


@dataclass(frozen=True, slots=True)
class Difference:
    """A project of DPS, or a row of its team, that is not as it should be."""

    number: str
    what: str

    def __str__(self) -> str:
        return f"accounts of {self.number}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, and how much was looked at; `closed`: projects that were left out."""

    differences: Sequence[Difference]
    projects: int
    columns: int
    team_rows: int
    closed: int


def judged(ajera: psycopg.Connection, dps: psycopg.Connection, naming: Naming) -> Verdict:
    """Each database as it is at one moment."""
    columns = COLUMNS[naming.assumptions["crm"]]
    with one_moment(dps), one_moment(ajera):
        numbers = _numbers(dps, naming)
        found = _projects(ajera, naming, [*numbers])
        follows = naming.assumptions["closed_projects_follow"]
        roots = {
            root: values
            for root, (status, values) in found.items()
            if follows or status != accounts_sql.CLOSED
        }
        expected = _amounts(ajera, naming, roots)
        team = _team(ajera, naming, roots, numbers, _employees(dps))
        held = _held(dps, naming, columns)
        held_team = _held_team(dps, naming, {numbers[root] for root in roots})
    differences = [
        Difference(numbers[root], f"differs in {name}")
        for root, values in sorted(expected.items())
        for name in columns
        if values[name] != held[numbers[root]][name]
    ]
    has_dates = naming.assumptions["crm"] not in WITHOUT_TEAM_DATES
    differences += _of_teams(team, held_team, has_dates=has_dates)
    return Verdict(differences, len(roots), len(columns), len(team), len(found) - len(roots))


# -- what must be ----------------------------------------------------------------------------------


def _projects(
    ajera: psycopg.Connection, naming: Naming, roots: Sequence[int]
) -> dict[int, tuple[int, dict[str, Any]]]:
    """Of those that are flagged: status, and what the project says itself."""
    rows = _run(ajera, accounts_sql.projects(naming), {"roots": list(roots)})
    return {
        key: (status, dict(zip(accounts_sql.OF_PROJECT, values, strict=True)))
        for key, status, *values in rows
    }


def _amounts(
    ajera: psycopg.Connection, naming: Naming, roots: Mapping[int, Mapping[str, Any]]
) -> dict[int, dict[str, Any]]:
    """Nothing is 0: the books were read to their end."""
    sums = dict.fromkeys((*TOTALS, *BUDGETS, *COSTS), Decimal(0))
    expected = {root: {**sums, **values} for root, values in roots.items()}
    for root, name, amount in _run(ajera, accounts_sql.amounts(naming), {"roots": [*roots]}):
        expected[root][name] = amount or Decimal(0)
    return expected


def _team(
    ajera: psycopg.Connection,
    naming: Naming,
    roots: Mapping[int, Any],
    numbers: Mapping[int, str],
    employees: Mapping[int, str],
) -> Team:
    """An employee that is not linked has no row until it is."""
    team: Team = {}
    for root, who, role, hours, day in _run(ajera, accounts_sql.team(naming), {"roots": [*roots]}):
        if who in employees:
            team[numbers[root], employees[who], role] = (hours or Decimal(0), day)
    return team


# -- what is ---------------------------------------------------------------------------------------


def _numbers(dps: psycopg.Connection, naming: Naming) -> dict[int, str]:
    """Ajera's key of each linked project whose row in DPS is flagged: its number."""
    flagged = {
        number
        for (number,) in _run(
            dps,
            naming.sql(
                "SELECT {PR.WBS1} FROM {PR} WHERE btrim({PR.WBS2}) = '' AND btrim({PR.WBS3}) = ''"
                " AND {PR.AjeraSync} = 'Y'"
            ),
            {},
        )
    }
    links = {int(key): _first(other) for key, other in dps.execute(LINKS, ["project"])}
    return {key: number for key, number in links.items() if number in flagged}


def _employees(dps: psycopg.Connection) -> dict[int, str]:
    return {int(key): _first(number) for key, number in dps.execute(LINKS, ["employee"])}


def _first(key: str) -> str:
    """The first part of a key as `sync` writes it."""
    return key.partition("|")[0].replace("%7C", "|").replace("%25", "%")


def _held(
    dps: psycopg.Connection, naming: Naming, columns: Sequence[str]
) -> dict[str, dict[str, Any]]:
    listed = ", ".join(f"{{PR.{name}}}" for name in columns)
    text = f"SELECT {{PR.WBS1}}, {listed} FROM {{PR}} WHERE btrim({{PR.WBS2}}) = ''"
    return {
        number: {name: _day(value) for name, value in zip(columns, values, strict=True)}
        for number, *values in _run(dps, naming.sql(text), {})
    }


def _held_team(
    dps: psycopg.Connection, naming: Naming, numbers: set[str]
) -> dict[tuple[str, str, str], list[tuple[Decimal | None, date | None]]]:
    listed = ", ".join(
        f"{{EMProjectAssoc.{name}}}" for name in ("WBS1", "Employee", "Role", "Hours", "StartDate")
    )
    rows = _run(
        dps,
        naming.sql(
            f"SELECT {listed} FROM {{EMProjectAssoc}} WHERE btrim({{EMProjectAssoc.WBS2}}) = ''"
        ),
        {},
    )
    found = defaultdict(list)
    for number, employee, role, hours, day in rows:
        if number in numbers:
            found[number, employee, (role or "").lower()].append((hours, _day(day)))
    return found


def _day(value: Any) -> Any:
    """A datetime at midnight is its day; at another time it is no day that Ajera gave."""
    is_day = isinstance(value, datetime) and value.time() == value.min.time()
    return value.date() if is_day else value


# -- teams -----------------------------------------------------------------------------------------


def _of_teams(
    expected: Team,
    held: Mapping[tuple[str, str, str], Sequence[tuple[Decimal | None, date | None]]],
    *,
    has_dates: bool,
) -> Iterator[Difference]:
    """A row without hours and date is one that people put there, or that they keep from us."""
    shown = 2 if has_dates else 1
    for key in sorted({*expected, *held}):
        number, employee, role = key
        rows = [row for row in held.get(key, ()) if row != (None, None)]
        wanted = expected.get(key)
        who = f"team row of {employee} as {role!r}"
        if wanted is None and rows:
            yield Difference(number, f"{who} is superfluous")
        elif wanted is not None and not rows:
            yield Difference(number, f"{who} is missing")
        elif wanted is not None and [row[:shown] for row in rows] != [wanted[:shown]]:
            yield Difference(number, f"{who} differs")


def _run(
    connection: psycopg.Connection, text: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    """Built from our own names, and from values of a profile."""
    return list(connection.execute(sql.SQL(text), values))
