"""DPS's database, as much of it as is known, in PostgreSQL, under a site's names;
lengths from evidence.md, section 4.3.
"""

from __future__ import annotations

from typing import Final

from psycopg import sql

from deploy.sample.accounting_tables import PR_COLUMNS, TEAM_COLUMNS, Columns
from deploy.sample.databases import connect
from deploy.sample.naming import Naming

# A project is the row whose WBS2 and WBS3 are blank, which Vantagepoint writes as one space.
BLANK: Final = " "
# No key refers to a firm from contacts or projects: it is unknown whether DPS has such keys.
DPS_TABLES = """
CREATE TABLE {Clendor} (
    {Clendor.ClientID} varchar(32) PRIMARY KEY, {Clendor.Name} varchar(100),
    {Clendor.Status} varchar(1),
    {Clendor.ClientInd} varchar(1) NOT NULL DEFAULT 'N',
    {Clendor.VendorInd} varchar(1) NOT NULL DEFAULT 'N',
    {Clendor.Type} varchar(10), {Clendor.WebSite} varchar(255), {Clendor.Memo} text,
    {Clendor.VendorType} varchar(10),
    {Clendor.AjeraSync} varchar(1) NOT NULL DEFAULT 'N', {Clendor.CreateDate} <now>,
    {Clendor.ModDate} <now>,
    {Clendor.CreateUser} varchar(20), {Clendor.ModUser} varchar(20)
);
CREATE TABLE {CLAddress} (
    {CLAddress.ClientID} varchar(32) REFERENCES {Clendor} ON DELETE CASCADE,
    {CLAddress.Address} varchar(20),
    {CLAddress.PrimaryInd} varchar(1), {CLAddress.Address1} varchar(50),
    {CLAddress.Address2} varchar(50),
    {CLAddress.Address3} varchar(50), {CLAddress.City} varchar(30), {CLAddress.State} varchar(10),
    {CLAddress.ZIP} varchar(10), {CLAddress.Country} varchar(2), {CLAddress.Phone} varchar(24),
    {CLAddress.FAX} varchar(24), {CLAddress.EMail} varchar(50), {CLAddress.ModDate} <now>,
    {CLAddress.ModUser} varchar(20), PRIMARY KEY ({CLAddress.ClientID}, {CLAddress.Address})
);
CREATE TABLE {Contacts} (
    {Contacts.ContactID} varchar(32) PRIMARY KEY, {Contacts.ClientID} varchar(32),
    {Contacts.FirstName} varchar(25),
    {Contacts.MiddleName} varchar(30), {Contacts.LastName} varchar(30) NOT NULL,
    {Contacts.Title} varchar(50),
    {Contacts.EMail} varchar(255), {Contacts.Phone} varchar(24), {Contacts.CellPhone} varchar(24),
    {Contacts.FAX} varchar(24), {Contacts.Status} varchar(1),
    {Contacts.AjeraSync} varchar(1) NOT NULL DEFAULT 'N',
    {Contacts.ModDate} <now>, {Contacts.ModUser} varchar(20)
);
CREATE TABLE {PR} (
    {PR.WBS1} varchar(30), {PR.WBS2} varchar(7) DEFAULT ' ', {PR.WBS3} varchar(7) DEFAULT ' ',
    {PR.Name} varchar(40),
    {PR.LongName} varchar(255), {PR.Status} varchar(1), {PR.ChargeType} varchar(1),
    {PR.ProjectType} varchar(10),
    {PR.ProjectTemplate} varchar(10), {PR.ClientID} varchar(32), {PR.ContactID} varchar(32),
    {PR.ProjMgr} varchar(20),
    {PR.Principal} varchar(20), {PR.Org} varchar(30), {PR.Memo} text, {PR.Probability} smallint,
    {PR.Stage} varchar(10), {PR.AjeraSync} varchar(1) NOT NULL DEFAULT 'N', {PR.PIMID} varchar(30),
    {PR.CreateDate} <now>, {PR.ModDate} <now>, {PR.CreateUser} varchar(20),
    {PR.ModUser} varchar(20), <books>,
    PRIMARY KEY ({PR.WBS1}, {PR.WBS2}, {PR.WBS3})
);
CREATE TABLE {PRContactAssoc} (
    {PRContactAssoc.WBS1} varchar(30), {PRContactAssoc.WBS2} varchar(7) DEFAULT ' ',
    {PRContactAssoc.WBS3} varchar(7) DEFAULT ' ', {PRContactAssoc.ContactID} varchar(32),
    {PRContactAssoc.AjeraSync} varchar(1) NOT NULL DEFAULT 'N', {PRContactAssoc.ModDate} <now>,
    PRIMARY KEY ({PRContactAssoc.WBS1}, {PRContactAssoc.WBS2}, {PRContactAssoc.WBS3},
        {PRContactAssoc.ContactID})
);
CREATE TABLE {EM} (
    {EM.Employee} varchar(20) PRIMARY KEY, {EM.FirstName} varchar(25), {EM.MiddleName} varchar(50),
    {EM.LastName} varchar(50), {EM.EMail} varchar(50), {EM.HomePhone} varchar(24),
    {EM.Fax} varchar(24),
    {EM.Org} varchar(30), {EM.Status} varchar(1), {EM.ModDate} <now>, {EM.ModUser} varchar(20)
);
CREATE TABLE {EMProjectAssoc} (<team>);
CREATE INDEX ON {EMProjectAssoc} ({EMProjectAssoc.WBS1});
"""
DPS_LIST = (
    "CREATE TABLE {<list>} ({<list>.Code} varchar(10) PRIMARY KEY,"
    " {<list>.Description} varchar(50));"
)
DPS_CAPTURED: Final = (
    "Clendor",
    "CLAddress",
    "Contacts",
    "PR",
    "PRContactAssoc",
    "EM",
    "EMProjectAssoc",
)
DPS_LISTS: Final = (
    "CFGClientTypeDescriptions",
    "CFGProjectTypeDescriptions",
    "CFGProjectTemplateDescriptions",
)
NOW: Final = "timestamp DEFAULT (now() AT TIME ZONE 'utc')"
REFUSE = """
CREATE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'rows would vanish without events: use DELETE (as on SQL Server)';
END $$;
"""


def listed(table: str, columns: Columns) -> str:
    """Columns with their types, each name a placeholder of `Naming.sql`."""
    return ", ".join(f"{{{table}.{name}}} {kind}" for name, kind in columns)


def create_dps(url: str, naming: Naming) -> None:
    """DPS's tables and lists, empty. Those that are captured refuse TRUNCATE."""
    tables = DPS_TABLES.replace("<now>", NOW)
    tables = tables.replace("<books>", listed("PR", PR_COLUMNS))
    tables = tables.replace("<team>", listed("EMProjectAssoc", TEAM_COLUMNS))
    parts = [naming.sql(tables), REFUSE]
    parts += [naming.sql(DPS_LIST.replace("<list>", name)) for name in DPS_LISTS]
    parts += [
        naming.sql(
            f"CREATE TRIGGER refuse BEFORE TRUNCATE ON {{{name}}}"
            " EXECUTE FUNCTION refuse_truncate();"
        )
        for name in DPS_CAPTURED
    ]
    with connect(url) as connection, connection.transaction():
        for part in parts:
            connection.execute(sql.SQL(part))  # built from our own names, never from values
