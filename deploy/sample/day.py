"""A working day at the firm: realistic committed transactions in Ajera, one at a time,
and never the same day twice for two seeds.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import psycopg

from deploy.sample import firm
from deploy.sample.edits import Edit, Undo, draw, run
from deploy.sample.naming import Naming
from deploy.sample.people import ROLES, People

TOP = f"{{AxProject.prjKey}} < {firm.PHASES_FROM}"


class Day:
    """Makes edits. It knows the tables only through the connection it is given,
    so that it can go on after a restart.
    """

    def __init__(self, seed: int, naming: Naming) -> None:
        self._rng = random.Random(f"day {seed}")
        self._naming = naming
        self._people = People(self._rng)
        self._edits: tuple[tuple[int, Callable[[psycopg.Connection], Edit]], ...] = (
            (10, self._rename_company),
            (10, self._move_company),
            (10, self._change_phone),
            (8, self._new_contact),
            (8, self._move_contact),
            (4, self._clear_integration),
            (10, self._change_status),
            (8, self._edit_notes),
            (6, self._change_manager),
            (5, self._new_project),
            (4, self._change_group_client),
            (3, self._delete_first_group),
            (3, self._new_group),
            (4, self._change_role),
            (3, self._change_project_id),
            (3, self._flip_flag),
            (2, self._delete_contact),
            (2, self._return_contact),
            (1, self._delete_company),
            (1, self._delete_project),
            (1, self._return_project),
            (1, self._demote_project),
            (1, self._promote_phase),
            (2, self._think_better_of_it),
            (1, self._readdress_many),
            (1, self._new_employee),
            (4, self._edit_client_notes),
            (4, self._change_website),
            (3, self._tick_sync),
            (4, self._change_fax),
            (4, self._change_project_type),
        )

    def next_edit(self, connection: psycopg.Connection) -> Edit:
        """One transaction, committed when this returns."""
        return draw(self._rng, self._edits, connection, "AxVec")

    # -- statements --------------------------------------------------------------------------------

    def _run(
        self, connection: psycopg.Connection, text: str, **values: Any
    ) -> list[tuple[Any, ...]]:
        return run(connection, self._naming, text, values)

    def _pick(
        self,
        connection: psycopg.Connection,
        table: str,
        key: str,
        where: str = "true",
    ) -> int:
        """A key at random, by our own generator: so that a seed gives one day."""
        rows = self._run(
            connection,
            f"SELECT {{{table}.{key}}} FROM {{{table}}} WHERE {where} ORDER BY 1",
        )
        return int(self._rng.choice(rows)[0])

    def _next(self, connection: psycopg.Connection, table: str, key: str) -> int:
        """A new key from the table's own sequence, so that it is nobody else's."""
        names = {
            "owner": self._naming.sql(f"{{{table}}}"),
            "column": self._naming.column(table, key),
        }
        ((new,),) = self._run(
            connection,
            "SELECT nextval(pg_get_serial_sequence(%(owner)s, %(column)s))",
            **names,
        )
        return int(new)

    def _above(
        self,
        connection: psycopg.Connection,
        table: str,
        key: str,
        where: str = "true",
    ) -> int:
        """One more than the highest key."""
        ((highest,),) = self._run(
            connection,
            f"SELECT COALESCE(max({{{table}.{key}}}), 0) FROM {{{table}}} WHERE {where}",
        )
        return int(highest) + 1

    def _set(
        self,
        connection: psycopg.Connection,
        table: str,
        key_column: str,
        key: int,
        **values: Any,
    ) -> None:
        assigned = ", ".join(f"{{{table}.{name}}} = %({name})s" for name in values)
        self._run(
            connection,
            f"UPDATE {{{table}}} SET {assigned} WHERE {{{table}.{key_column}}} = %(key)s",
            key=key,
            **values,
        )

    def _insert(
        self,
        connection: psycopg.Connection,
        table: str,
        rows: list[dict[str, Any]],
    ) -> None:
        firm.insert(connection, self._naming, table, rows)

    def _company(self, connection: psycopg.Connection, flag: str = "vecIsClient") -> int:
        return self._pick(connection, "AxVec", "vecKey", f"{{AxVec.{flag}}}")

    # -- companies and people ----------------------------------------------------------------------

    def _rename_company(self, connection: psycopg.Connection) -> Edit:
        self._set(
            connection,
            "AxVec",
            "vecKey",
            self._company(connection),
            vecDescription=self._people.company(),
        )
        return Edit("renamed a client", "AxVec")

    def _move_company(self, connection: psycopg.Connection) -> Edit:
        self._set(
            connection,
            "AxVec",
            "vecKey",
            self._company(connection),
            **self._people.address(),
        )
        return Edit("moved a client", "AxVec")

    def _change_phone(self, connection: psycopg.Connection) -> Edit:
        key = self._pick(connection, "AxVec", "vecKey")
        self._set(
            connection,
            "AxVec",
            "vecKey",
            key,
            vecPhone1=self._rng.choice([self._people.phone(), "", None]),
        )
        return Edit("changed a phone", "AxVec")

    def _flip_flag(self, connection: psycopg.Connection) -> Edit:
        """A client becomes a vendor too, or no client any more; PIM keeps what it has."""
        if self._rng.random() < 0.6:
            self._set(
                connection,
                "AxVec",
                "vecKey",
                self._company(connection),
                vecIsVendor=True,
            )
            return Edit("a client became a vendor too", "AxVec")
        key = self._pick(
            connection,
            "AxVec",
            "vecKey",
            "{AxVec.vecIsClient} AND {AxVec.vecIsVendor}",
        )
        self._set(connection, "AxVec", "vecKey", key, vecIsClient=False)
        return Edit("a client is one no more", "AxVec")

    def _edit_client_notes(self, connection: psycopg.Connection) -> Edit:
        notes = self._rng.choice(
            [
                None,
                f"Called {self._rng.randrange(10_000)}.",
                firm.LONG_NOTE + str(self._rng.random()),
            ]
        )
        self._set(
            connection,
            "AxVec",
            "vecKey",
            self._company(connection),
            vecClientNotes=notes,
        )
        return Edit("edited a client's notes", "AxVec")

    def _change_website(self, connection: psycopg.Connection) -> Edit:
        site = self._rng.choice([None, f"www.site{self._rng.randrange(10_000)}.example"])
        self._set(
            connection,
            "AxVec",
            "vecKey",
            self._company(connection),
            vecWebsite=site,
        )
        return Edit("changed a website", "AxVec")

    def _tick_sync(self, connection: psycopg.Connection) -> Edit:
        self._set(
            connection,
            "AxVec",
            "vecKey",
            self._company(connection),
            vecSyncToCRM=True,
        )
        return Edit("ticked Sync to CRM on a client", "AxVec")

    def _new_employee(self, connection: psycopg.Connection) -> Edit:
        self._insert(
            connection,
            "AxVec",
            [self._people.employee_row(self._next(connection, "AxVec", "vecKey"))],
        )
        return Edit("hired somebody", "AxVec")

    def _delete_company(self, connection: psycopg.Connection) -> Edit:
        self._run(
            connection,
            "DELETE FROM {AxVec} WHERE {AxVec.vecKey} = %(key)s",
            key=self._company(connection),
        )
        return Edit("deleted a client", "AxVec")

    def _readdress_many(self, connection: psycopg.Connection) -> Edit:
        self._run(
            connection,
            (
                "UPDATE {AxContact} SET {AxContact.cntTitle} = %(title)s"
                " WHERE {AxContact.cntKey} %% 7 = %(n)s"
            ),
            title=f"Partner {self._rng.randrange(100)}",
            n=self._rng.randrange(7),
        )
        return Edit("changed 300 contacts at once", "AxContact")

    def _think_better_of_it(self, connection: psycopg.Connection) -> Edit:
        self._set(
            connection,
            "AxVec",
            "vecKey",
            self._company(connection),
            vecDescription="NEVER COMMITTED",
        )
        raise Undo

    # -- contacts ----------------------------------------------------------------------------------

    def _new_contact(self, connection: psycopg.Connection) -> Edit:
        key = self._next(connection, "AxContact", "cntKey")
        self._insert(
            connection,
            "AxContact",
            [self._people.contact_row(key, self._company(connection), None)],
        )
        return Edit("met a contact", "AxContact")

    def _move_contact(self, connection: psycopg.Connection) -> Edit:
        key = self._pick(connection, "AxContact", "cntKey")
        self._set(
            connection,
            "AxContact",
            "cntKey",
            key,
            cntClient=self._company(connection),
            cntVendor=None,
        )
        return Edit("a contact changed company", "AxContact")

    def _clear_integration(self, connection: psycopg.Connection) -> Edit:
        key = self._pick(connection, "AxContact", "cntKey")
        self._set(
            connection,
            "AxContact",
            "cntKey",
            key,
            cntClient=self._rng.choice([None, 0]),
            cntVendor=None,
        )
        return Edit("removed a contact from its company", "AxContact")

    def _change_fax(self, connection: psycopg.Connection) -> Edit:
        key = self._pick(connection, "AxContact", "cntKey")
        self._set(
            connection,
            "AxContact",
            "cntKey",
            key,
            cntFax=self._rng.choice([self._people.phone(), None]),
        )
        return Edit("changed a contact's fax", "AxContact")

    def _delete_contact(self, connection: psycopg.Connection) -> Edit:
        key = self._pick(connection, "AxContact", "cntKey")
        self._run(
            connection,
            "DELETE FROM {AxContact} WHERE {AxContact.cntKey} = %(key)s",
            key=key,
        )
        return Edit("deleted a contact", "AxContact")

    def _return_contact(self, connection: psycopg.Connection) -> Edit:
        """Deleted, then inserted again under the same key, in one transaction or over two days."""
        key = self._pick(connection, "AxContact", "cntKey")
        self._run(
            connection,
            "DELETE FROM {AxContact} WHERE {AxContact.cntKey} = %(key)s",
            key=key,
        )
        self._insert(
            connection,
            "AxContact",
            [self._people.contact_row(key, None, None)],
        )
        return Edit("a contact returned", "AxContact")

    # -- projects ----------------------------------------------------------------------------------

    def _project(self, connection: psycopg.Connection) -> int:
        return self._pick(connection, "AxProject", "prjKey", TOP)

    def _employee(self, connection: psycopg.Connection) -> int:
        return self._company(connection, "vecIsEmployee")

    def _change_status(self, connection: psycopg.Connection) -> Edit:
        self._set(
            connection,
            "AxProject",
            "prjKey",
            self._project(connection),
            prjStatus=self._rng.randrange(7),
        )
        return Edit("changed a status", "AxProject")

    def _edit_notes(self, connection: psycopg.Connection) -> Edit:
        notes = self._rng.choice(
            [
                None,
                "Site visit done.",
                firm.LONG_NOTE + str(self._rng.random()),
            ]
        )
        self._set(
            connection,
            "AxProject",
            "prjKey",
            self._project(connection),
            prjNotes=notes,
        )
        return Edit("edited notes", "AxProject")

    def _change_manager(self, connection: psycopg.Connection) -> Edit:
        person = self._rng.choice([self._employee(connection), None])
        self._set(
            connection,
            "AxProject",
            "prjKey",
            self._project(connection),
            prjProjectManager=person,
        )
        return Edit("changed a project manager", "AxProject")

    def _change_project_type(self, connection: psycopg.Connection) -> Edit:
        kind = self._rng.choice([1, 2, 3, 4, 5, None])
        self._set(
            connection,
            "AxProject",
            "prjKey",
            self._project(connection),
            prjProjectType=kind,
        )
        return Edit("changed a project type", "AxProject")

    def _change_project_id(self, connection: psycopg.Connection) -> Edit:
        like = self._project(connection)  # codes that others were given, or could be
        code = self._rng.choice(
            [
                None,
                "\xa0",
                "SHARED-1",
                f"AJ-{like}",
                f"SHARED-1-{like}",
                f"N-{like}",
            ]
        )
        self._set(
            connection,
            "AxProject",
            "prjKey",
            self._project(connection),
            prjID=code,
        )
        return Edit("changed a Project ID", "AxProject")

    def _new_project(self, connection: psycopg.Connection) -> Edit:
        """Project, phases, invoice groups and roles in one transaction,
        as a new project is set up.
        """
        key = self._above(connection, "AxProject", "prjKey", TOP)
        phases = [
            self._people.phase_row(self._next(connection, "AxProject", "prjKey"), key)
            for _ in range(2)
        ]
        self._insert(
            connection,
            "AxProject",
            [self._people.project_row(key, firm.STAFF), *phases],
        )
        group = self._next(connection, "AxInvoiceGroup", "igKey")
        self._insert(
            connection,
            "AxInvoiceGroup",
            [
                {
                    "igKey": group,
                    "igProject": key,
                    "igClient": self._company(connection),
                }
            ],
        )
        self._add_role(connection, key)
        return Edit("set up a project", "AxProject")

    def _delete_project(self, connection: psycopg.Connection) -> Edit:
        key = self._project(connection)
        self._run(
            connection,
            "DELETE FROM {AxProject} WHERE {AxProject.prjKey} = %(key)s",
            key=key,
        )
        return Edit("deleted a project", "AxProject")

    def _apart(self, connection: psycopg.Connection, where: str) -> int:
        """One that nobody exchanges with DPS."""
        apart = "NOT {AxProject.prjSyncToCRM} AND NOT {AxProject.prjCreateInCRM}"
        return self._pick(connection, "AxProject", "prjKey", f"{apart} AND {where}")

    def _return_project(self, connection: psycopg.Connection) -> Edit:
        key = self._apart(connection, TOP)
        self._run(
            connection,
            "DELETE FROM {AxProject} WHERE {AxProject.prjKey} = %(key)s",
            key=key,
        )
        self._insert(
            connection,
            "AxProject",
            [self._people.project_row(key, firm.STAFF)],
        )
        return Edit("a project returned", "AxProject")

    def _demote_project(self, connection: psycopg.Connection) -> Edit:
        key = self._apart(connection, TOP)
        self._set(
            connection,
            "AxProject",
            "prjKey",
            key,
            **self._people.phase_row(key, key - 1 or 2),
            prjID="PHASE",
        )
        return Edit("a project became a phase", "AxProject")

    def _promote_phase(self, connection: psycopg.Connection) -> Edit:
        key = self._apart(
            connection,
            "{AxProject.prjProject} <> {AxProject.prjKey} AND {AxProject.prjProject} <> 0",
        )
        self._set(
            connection,
            "AxProject",
            "prjKey",
            key,
            prjProject=None,
            prjID=self._rng.choice([None, "SHARED-1"]),
        )
        return Edit("a phase became a project", "AxProject")

    def _change_group_client(self, connection: psycopg.Connection) -> Edit:
        key = self._pick(connection, "AxInvoiceGroup", "igKey")
        self._set(
            connection,
            "AxInvoiceGroup",
            "igKey",
            key,
            igClient=self._company(connection),
        )
        return Edit("another client for an invoice group", "AxInvoiceGroup")

    def _delete_first_group(self, connection: psycopg.Connection) -> Edit:
        project = self._project(connection)
        self._run(
            connection,
            (
                "DELETE FROM {AxInvoiceGroup} WHERE {AxInvoiceGroup.igKey} = (SELECT"
                " min({AxInvoiceGroup.igKey})"
                " FROM {AxInvoiceGroup} WHERE {AxInvoiceGroup.igProject} = %(project)s)"
            ),
            project=project,
        )
        return Edit("deleted the first invoice group", "AxInvoiceGroup")

    def _new_group(self, connection: psycopg.Connection) -> Edit:
        row = {
            "igKey": self._next(connection, "AxInvoiceGroup", "igKey"),
            "igProject": self._project(connection),
            "igClient": self._company(connection),
        }
        self._insert(connection, "AxInvoiceGroup", [row])
        return Edit("another invoice group", "AxInvoiceGroup")

    def _change_role(self, connection: psycopg.Connection) -> Edit:
        if self._rng.random() < 0.5:
            self._add_role(connection, self._project(connection))
            return Edit("put somebody on a project", "AxResource")
        key = self._pick(connection, "AxResource", "resKey")
        self._run(
            connection,
            "DELETE FROM {AxResource} WHERE {AxResource.resKey} = %(key)s",
            key=key,
        )
        return Edit("took somebody off a project", "AxResource")

    def _add_role(self, connection: psycopg.Connection, project: int) -> None:
        row = {
            "resKey": self._above(connection, "AxResource", "resKey"),
            "resProject": project,
            "resEmployee": self._employee(connection),
            "resRole": self._rng.choice(ROLES),
        }
        self._insert(connection, "AxResource", [row])
