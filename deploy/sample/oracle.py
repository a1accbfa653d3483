"""The judge: what every PIM row must hold, in plain SQL over Ajera's rows,
written from the vendor's page alone.

It shares no code with the mappings, so it can disagree with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from deploy.sample.naming import Naming, literal

Key = tuple[str, ...]
Rows = dict[Key, dict[str, Any]]

CUT = """
CREATE SCHEMA IF NOT EXISTS expected;
CREATE OR REPLACE FUNCTION expected.cut(value text, length integer)
    RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT history.cut(value, length) $$;
CREATE OR REPLACE FUNCTION expected.field(value text, length integer)
    RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT expected.cut(history.clean(value), length) $$;
"""
ORGANIZATION = """
CREATE OR REPLACE VIEW expected."Organization" AS
WITH kinds AS (
    SELECT 'cl-' || "vecKey" AS id, v.* FROM history."AxVec" AS v WHERE ever_client
    UNION ALL SELECT 've-' || "vecKey", v.* FROM history."AxVec" AS v WHERE ever_vendor
)
SELECT id AS "Organization ID",
    expected.cut(COALESCE(history.clean("vecDescription"), id), 100) AS "Name",
    expected.cut(NULLIF(concat_ws(<separator>, history.clean("vecAddress1"),
        history.clean("vecAddress2"), history.clean("vecAddress3"), history.clean("vecCity"),
        history.clean("vecState")), ''), 500) AS "Address",
    expected.field("vecZip", 20) AS "Post Code",
    expected.cut(COALESCE(history.clean("vecPhone1"), history.clean("vecPhone2")), 50)
        AS "Phone Number",
    expected.field("vecFax", 50) AS "Fax Number",
    expected.field("vecWebsite", 255) AS "Web Address",
    expected.field("vecEmail", 255) AS "E-mail"
FROM kinds
UNION ALL SELECT <internal>, <internal>, NULL, NULL, NULL, NULL, NULL, NULL
    WHERE EXISTS (SELECT 1 FROM history."AxVec" WHERE ever_employee)
"""
CONTACT = """
CREATE OR REPLACE VIEW expected."Contact" AS
WITH people AS (
    SELECT 'em-' || "vecKey" AS id, <internal> AS organization, "vecFirstName" AS first,
        "vecMiddleName" AS middle, "vecLastName" AS last, "vecTitle" AS title,
        "vecEmail" AS email, "vecPhone2" AS mobile, "vecPhone1" AS direct
    FROM history."AxVec" WHERE ever_employee
    UNION ALL
    SELECT 'co-' || "cntKey", organization, "cntFirstName", "cntMiddleName", "cntLastName",
        "cntTitle", "cntEmail", "cntPhone2", "cntPhone1" FROM history."AxContact"
)
SELECT id AS "Contact ID", organization AS "Organization ID",
    expected.field(first, 50) AS "Forename",
    expected.field(middle, 50) AS "Middle Names", expected.field(last, 50) AS "Surname",
    expected.field(title, 100) AS "Job Title", expected.field(email, 255) AS "E-mail",
    expected.field(mobile, 50) AS "Mobile", expected.field(direct, 50) AS "Direct Dial",
    upper(NULLIF(concat(left(history.clean(first), 1), left(history.clean(last), 1)), ''))
        AS "Document Initials"
FROM people
"""
PROJECT = """
CREATE OR REPLACE VIEW expected."Project" AS
WITH first_group AS (
    SELECT DISTINCT ON ("igProject") "igProject", NULLIF("igClient", 0) AS client
    FROM history."AxInvoiceGroup" WHERE NOT deleted ORDER BY "igProject", "igKey"
), client AS (
    SELECT "igProject" AS project, false AS kept, "vecDescription", "vecAddress1", "vecAddress2",
        "vecCity", "vecState", "vecZip"
    FROM first_group JOIN history."AxVec" ON "vecKey" = client
    UNION ALL
    SELECT project, true, "vecDescription", "vecAddress1", "vecAddress2", "vecCity", "vecState",
        "vecZip" FROM history.kept_client
)
SELECT p."prjKey"::text AS "Project ID",
    CASE WHEN p.retired_at IS NULL THEN history.code(p."prjKey")
        ELSE kept_code END AS "Project Code",
    expected.cut(COALESCE(history.clean("prjDescription"), p."prjKey"::text), 100) AS "Name",
    history.clean("prjNotes") AS "Description",
    s.text AS "Status",
    expected.field(c."vecDescription", 100) AS "Client",
    expected.field(c."vecAddress1", 100) AS "Client Address 1",
    expected.field(c."vecAddress2", 100) AS "Client Address 2",
    expected.field(c."vecCity", 50) AS "City",
    expected.field(c."vecState", 50) AS "State", expected.field(c."vecZip", 20) AS "Zip"
FROM history."AxProject" AS p
JOIN (VALUES <statuses>) AS s (code, text) ON s.code = p."prjStatus"
LEFT JOIN client AS c ON c.project = p."prjKey" AND c.kept = (p.retired_at IS NOT NULL)
WHERE ever_project
"""
PROJECT_CONTACT = """
CREATE OR REPLACE VIEW expected."Project_Contact" AS
WITH people AS (
    SELECT w.project, w.role, w.person FROM history.wanted AS w
        JOIN history."AxVec" ON "vecKey" = w.person
        JOIN history."AxProject" AS p ON "prjKey" = w.project
        WHERE ever_employee AND p.retired_at IS NULL
    UNION ALL
    SELECT k.project, k.role, k.person FROM history.kept_role AS k
        JOIN history."AxProject" AS p ON "prjKey" = k.project
        WHERE k.is_employee AND p.retired_at IS NOT NULL
)
SELECT DISTINCT project::text AS "Project ID", role AS "Role Type", 'em-' || person AS "Contact ID"
FROM people WHERE role IS NOT NULL
"""
VIEWS = (ORGANIZATION, CONTACT, PROJECT, PROJECT_CONTACT)
KEYS: Mapping[str, tuple[str, ...]] = {
    "Organization": ("Organization ID",),
    "Contact": ("Contact ID",),
    "Project": ("Project ID",),
    "Project_Contact": ("Project ID", "Role Type", "Contact ID"),
}
# Columns that are filled when the row is created, and people's after that:
# they must only hold something.
PREFILLED: Mapping[str, tuple[str, ...]] = {"Contact": ("Title", "Created Date")}

HANGS_ON_OTHERS = (
    "Client",
    "Client Address 1",
    "Client Address 2",
    "City",
    "State",
    "Zip",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A PIM row that is not what it should be.
    `column` is empty where the whole row is missing or too many.
    """

    table: str
    kind: str
    key: Key
    column: str = ""

    def __str__(self) -> str:
        place = f"{self.table} {' / '.join(self.key)}"
        return f"{place}: {self.kind}" + (f" in {self.column}" if self.column else "")


def compare(ajera: psycopg.Connection, pim: psycopg.Connection, naming: Naming) -> list[Difference]:
    """Every difference between PIM and what it should be; empty if there is none."""
    _create_views(ajera, naming)
    with ajera.transaction():
        expected = {table: _expected(ajera, table) for table in KEYS}
        roles = {str(row[0]) for row in ajera.execute("SELECT role FROM history.role_ever")}
        doubtful = {str(row[0]) for row in ajera.execute("SELECT project FROM history.doubtful")}
    found: list[Difference] = []
    for table, rows in expected.items():
        found += _differences(
            table,
            rows,
            _held(pim, naming, table, list(_columns(ajera, table))),
            doubtful,
        )
    found += _lists(pim, naming, expected, roles)
    return found


def _create_views(ajera: psycopg.Connection, naming: Naming) -> None:
    assumed = naming.assumptions
    statuses = ", ".join(
        f"({int(code)}, {literal(text)})" for code, text in sorted(assumed["status_texts"].items())
    )
    words = {
        "separator": literal(assumed["address_separator"]),
        "internal": literal(assumed["internal_organization"]),
        "statuses": statuses,
    }
    _run(ajera, CUT)
    for view in VIEWS:
        for word, value in words.items():
            view = view.replace(f"<{word}>", value)  # noqa: PLW2901
        _run(ajera, view)


def _columns(ajera: psycopg.Connection, table: str) -> Iterator[str]:
    cursor = _run(ajera, f'SELECT * FROM expected."{table}" LIMIT 0')
    yield from (column.name for column in cursor.description or ())


def _expected(ajera: psycopg.Connection, table: str) -> Rows:
    cursor = _run(ajera, f'SELECT * FROM expected."{table}"')
    names = [column.name for column in cursor.description or ()]
    return _rows(table, [dict(zip(names, row, strict=True)) for row in cursor])


def _held(pim: psycopg.Connection, naming: Naming, table: str, columns: list[str]) -> Rows:
    names = [*columns, *PREFILLED.get(table, ())]
    listed = ", ".join(naming.sql(f"{{{table}.{name}}}") for name in names)
    cursor = _run(pim, f"SELECT {listed} FROM {naming.sql(f'{{{table}}}')}")
    return _rows(table, [dict(zip(names, row, strict=True)) for row in cursor])


def _rows(table: str, rows: list[dict[str, Any]]) -> Rows:
    return {tuple(str(row[column]) for column in KEYS[table]): row for row in rows}


def _differences(
    table: str, expected: Rows, held: Rows, doubtful: set[str]
) -> Iterator[Difference]:
    """Of a doubtful project only what hangs on nobody else is compared."""
    for key in sorted(expected.keys() | held.keys()):
        if table == "Project_Contact" and key[0] in doubtful:
            continue
        if key not in held:
            yield Difference(table, "missing in PIM", key)
        elif key not in expected:
            if not _is_of_pims_people(key):
                yield Difference(table, "too many in PIM", key)
        else:
            for column, value in expected[key].items():
                is_doubtful = (
                    table == "Project" and key[0] in doubtful and column in HANGS_ON_OTHERS
                )
                if held[key][column] != value and not is_doubtful:
                    yield Difference(table, "differs", key, column)
            for column in PREFILLED.get(table, ()):
                if held[key][column] is None:
                    yield Difference(table, "is empty", key, column)


def _is_of_pims_people(key: Key) -> bool:
    return key[-1].startswith("own-")


def _lists(
    pim: psycopg.Connection,
    naming: Naming,
    expected: Mapping[str, Rows],
    roles: set[str],
) -> Iterator[Difference]:
    """Statuses and role types: what is used must be there, what is there must have a reason."""
    assumed = naming.assumptions
    standard = {
        assumed["project_manager_role"],
        assumed["principal_role"],
        assumed["marketing_role"],
    }
    texts = set(assumed["status_texts"].values())
    used_statuses = {row["Status"] for row in expected["Project"].values()}
    used_roles = {key[1] for key in expected["Project_Contact"]}
    statuses = "SELECT {Project_Status.Name}, {Project_Status.Completed} FROM {Project_Status}"
    completed = dict(_pairs(pim, naming.sql(statuses)))
    held_roles = dict(_pairs(pim, naming.sql("SELECT {Role_Type.Name}, true FROM {Role_Type}")))
    yield from _listed(
        "Project_Status",
        used_statuses,
        set(completed),
        lambda name: name in texts | {"Active"},
    )
    yield from _listed(
        "Role_Type",
        used_roles,
        set(held_roles),
        lambda name: name in standard | roles | {"Archivist"},
    )
    for name, flag in completed.items():
        if bool(flag) != (name in assumed["completed_statuses"]):
            yield Difference("Project_Status", "differs", (name,), "Completed")


def _listed(
    table: str,
    used: set[str],
    held: set[str],
    has_reason: Callable[[str], bool],
) -> Iterator[Difference]:
    for name in sorted(used - held):
        yield Difference(table, "missing in PIM", (name,))
    for name in sorted(held - used):
        if not has_reason(name):
            yield Difference(table, "too many in PIM", (name,))


def _pairs(connection: psycopg.Connection, text: str) -> list[tuple[str, Any]]:
    return [(str(row[0]), row[1]) for row in _run(connection, text)]


def _run(connection: psycopg.Connection, text: str) -> psycopg.Cursor:
    return connection.execute(sql.SQL(text))  # built from our own names, never from values
