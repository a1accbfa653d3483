"""Edits of projects in Ajera."""

from __future__ import annotations

import psycopg

from deploy.sample import firm
from deploy.sample.day_statements import InAjera
from deploy.sample.edits import Edit
from deploy.sample.people import ROLES

TOP = f"{{AxProject.prjKey}} < {firm.PHASES_FROM}"


class ProjectEdits(InAjera):
    """Projects with their phases, invoice groups and resources."""

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
