"""Ajera's database, as much of it as is known, and PIM's; both in PostgreSQL, under a site's names.
DPS's is in dps.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from psycopg import sql

from deploy.sample import history
from deploy.sample.accounting_tables import BOOKS, NUMBERED, PROJECT_COLUMNS, RESOURCE_COLUMNS
from deploy.sample.naming import Naming, quoted

# Column and type, the key first. Ajera has more columns than anybody relies on:
# the last ones of each table.
AJERA_TABLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "AxVec": (
        ("vecKey", NUMBERED),
        *(
            (f"vec{name}", "text")
            for name in (
                "Description",
                "FirstName",
                "MiddleName",
                "LastName",
                "Title",
                "Email",
            )
        ),
        *((f"vec{name}", "text") for name in ("Phone1", "Phone2", "Fax", "Website")),
        *(
            (f"vec{name}", "text")
            for name in (
                "Address1",
                "Address2",
                "Address3",
                "City",
                "State",
                "Zip",
            )
        ),
        *(
            (f"vecIs{name}", "boolean NOT NULL DEFAULT false")
            for name in ("Client", "Vendor", "Employee")
        ),
        ("vecStatus", "smallint"),
        ("vecClientNotes", "text"),
        ("vecCountry", "text"),
        ("vecClientType", "integer"),
        ("vecVendorType", "integer"),
        ("vecSyncToCRM", "boolean NOT NULL DEFAULT false"),
    ),
    "AxContact": (
        ("cntKey", NUMBERED),
        *(
            (f"cnt{name}", "text")
            for name in (
                "FirstName",
                "MiddleName",
                "LastName",
                "Title",
                "Email",
            )
        ),
        *((f"cnt{name}", "text") for name in ("Phone1", "Phone2")),
        ("cntClient", "integer"),
        ("cntVendor", "integer"),
        ("cntNotes", "text"),
        ("cntStatus", "smallint"),
        ("cntFax", "text"),
        ("cntSyncToCRM", "boolean NOT NULL DEFAULT false"),
    ),
    "AxProject": (
        ("prjKey", NUMBERED),
        ("prjID", "text"),
        ("prjDescription", "text"),
        ("prjNotes", "text"),
        ("prjStatus", "integer NOT NULL"),
        ("prjProject", "integer"),
        ("prjProjectManager", "integer"),
        ("prjPrincipalInCharge", "integer"),
        ("prjMarketingContact", "integer"),
        ("prjOrder", "integer"),
        ("prjLaborContractAmount", "numeric(19,4)"),
        ("prjActualStartDate", "timestamp"),
        ("prjProjectType", "integer"),
        ("prjSyncToCRM", "boolean NOT NULL DEFAULT false"),
        ("prjCreateInCRM", "boolean NOT NULL DEFAULT false"),
        ("prjChanceOfWinning", "integer"),
        ("prjFinalDisposition", "text"),
        *PROJECT_COLUMNS,
    ),
    "AxInvoiceGroup": (
        ("igKey", NUMBERED),
        ("igProject", "integer"),
        ("igClient", "integer"),
        ("igDescription", "text"),
    ),
    "AxResource": (
        ("resKey", "integer PRIMARY KEY"),
        ("resProject", "integer"),
        ("resEmployee", "integer"),
        ("resRole", "text"),
        *RESOURCE_COLUMNS,
    ),
}
# Nobody captures these, and the judge of PIM keeps no history of them.
AJERA_LISTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "AxClientType": (
        ("ctKey", "integer PRIMARY KEY"),
        ("ctDescription", "text"),
    ),
    "AxProjectType": (
        ("ptKey", "integer PRIMARY KEY"),
        ("ptDescription", "text"),
    ),
    "AxVendorType": (
        ("vtKey", "integer PRIMARY KEY"),
        ("vtDescription", "text"),
        ("vtIsConsultant", "boolean"),
    ),
    "AxProjectTemplate": (
        ("tplKey", "integer PRIMARY KEY"),
        ("tplDescription", "text"),
    ),
    "AxProjectTemplatePhase": (
        ("tphKey", "integer PRIMARY KEY"),
        ("tphTemplate", "integer"),
        ("tphDescription", "text"),
        ("tphOrder", "integer"),
    ),
    "AxProjectContact": (
        ("pcKey", NUMBERED),
        ("pcProject", "integer"),
        ("pcContact", "integer"),
        ("pcOrder", "integer"),
    ),
}

PIM_TABLES = """
CREATE TABLE {Project_Status} ({Project_Status.Name} varchar(50) PRIMARY KEY,
    {Project_Status.Completed} boolean);
CREATE TABLE {Role_Type} ({Role_Type.Name} varchar(100) PRIMARY KEY);
CREATE TABLE {Organization} (
    {Organization.Organization ID} varchar(30) PRIMARY KEY,
    {Organization.Name} varchar(100) NOT NULL,
    {Organization.Address} varchar(500), {Organization.Post Code} varchar(20),
    {Organization.Phone Number} varchar(50),
    {Organization.Fax Number} varchar(50), {Organization.Web Address} varchar(255),
    {Organization.E-mail} varchar(255)
);
CREATE TABLE {Contact} (
    {Contact.Contact ID} varchar(30) PRIMARY KEY, {Contact.Organization ID} varchar(30)
        REFERENCES {Organization},
    {Contact.Forename} varchar(50), {Contact.Middle Names} varchar(50),
    {Contact.Surname} varchar(50),
    {Contact.Title} varchar(20), {Contact.Job Title} varchar(100), {Contact.E-mail} varchar(255),
    {Contact.Mobile} varchar(50), {Contact.Direct Dial} varchar(50),
    {Contact.Created Date} timestamptz,
    {Contact.Document Initials} varchar(10)
);
CREATE TABLE {Project} (
    {Project.Project ID} varchar(30) PRIMARY KEY, {Project.Project Code} varchar(50)
        NOT NULL UNIQUE,
    {Project.Name} varchar(100) NOT NULL, {Project.Description} text,
    {Project.Status} varchar(50) NOT NULL REFERENCES {Project_Status},
    {Project.Client} varchar(100),
    {Project.Client Address 1} varchar(100), {Project.Client Address 2} varchar(100),
    {Project.City} varchar(50),
    {Project.State} varchar(50), {Project.Zip} varchar(20)
);
CREATE TABLE {Project_Contact} (
    {Project_Contact.Project ID} varchar(30) REFERENCES {Project},
    {Project_Contact.Role Type} varchar(100) REFERENCES {Role_Type},
    {Project_Contact.Contact ID} varchar(30) REFERENCES {Contact},
    PRIMARY KEY ({Project_Contact.Project ID}, {Project_Contact.Role Type},
        {Project_Contact.Contact ID})
);
"""
# Made by PIM's own people before anybody synced: theirs, and to be left alone.
PIM_PEOPLE = """
INSERT INTO {Project_Status} VALUES ('Active', false);
INSERT INTO {Role_Type} VALUES ('Archivist');
INSERT INTO {Organization} ({Organization.Organization ID}, {Organization.Name})
    VALUES ('own-1', 'City Archive');
INSERT INTO {Contact} ({Contact.Contact ID}, {Contact.Organization ID}, {Contact.Surname},
    {Contact.Title})
    VALUES ('own-1', 'own-1', 'Keeper', 'Dr');
"""
PIM_NAMES = (
    "Project_Status",
    "Role_Type",
    "Organization",
    "Contact",
    "Project",
    "Project_Contact",
)


def connect(url: str) -> psycopg.Connection:
    """A connection in autocommit mode, from a SQLAlchemy URL."""
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def connect_like(connection: psycopg.Connection) -> psycopg.Connection:
    """Another connection to the same database, for another thread."""
    return psycopg.connect(
        connection.info.dsn,
        password=connection.info.password,
        autocommit=True,
    )


def create_ajera(url: str, naming: Naming) -> None:
    """Ajera's tables, and the judge's own history of them,
    which no real Ajera has and nobody captures.
    """
    with connect(url) as connection:
        for table, columns in {**AJERA_TABLES, **AJERA_LISTS, **BOOKS}.items():
            listed = ", ".join(
                f"{quoted(naming.column(table, name))} {kind}" for name, kind in columns
            )
            connection.execute(_sql(f"CREATE TABLE {quoted(naming.table(table))} ({listed})"))
        history.create(connection, naming, AJERA_TABLES)
        for table in BOOKS:
            connection.execute(_sql(history.REFUSE.format(table=quoted(naming.table(table)))))


def create_pim(url: str, naming: Naming) -> None:
    """PIM's tables, with a few rows that its own people made."""
    with connect(url) as connection:
        connection.execute(_sql(naming.sql(PIM_TABLES)))
        connection.execute(_sql(naming.sql(PIM_PEOPLE)))


def counts(pim: psycopg.Connection, naming: Naming) -> dict[str, int]:
    """Rows of each PIM table, by its canonical name."""
    found: dict[str, int] = {}
    for table in PIM_NAMES:
        row = pim.execute(_sql(naming.sql(f"SELECT count(*) FROM {{{table}}}"))).fetchone()
        found[table] = 0 if row is None else int(row[0])
    return found


def _sql(text: str) -> sql.SQL:
    return sql.SQL(text)  # built from our own names, never from values
