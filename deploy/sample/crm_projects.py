"""The projects of DPS, and its staff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deploy.sample import crm_lists, firm
from deploy.sample.crm_flags import (
    LINKED_PROJECTS,
    folded,
)
from deploy.sample.crm_rows import (
    EMPLOYEES,
    MANY_ON_PROJECT,
    ONLY_PROJECTS,
    STAGES,
    UNFLAGGED_PROJECTS,
    DpsRows,
    cut,
)
from deploy.sample.dps import BLANK
from deploy.sample.people import BUILDINGS, CITIES


class ProjectRows(DpsRows):
    """Projects with phases and contacts, and employees."""

    def _project(
        self,
        number: str,
        name: str,
        client: str | None,
        sync: str = "Y",
        **values: Any,
    ) -> None:
        """A name of more than forty letters stands in full in LongName."""
        row = {
            "WBS1": number,
            "WBS2": BLANK,
            "WBS3": BLANK,
            "Name": cut(name, 40),
            "LongName": cut(name, 255),
        }
        row |= {
            "Status": "A",
            "ChargeType": "R",
            "ClientID": client,
            "AjeraSync": sync,
            **values,
        }
        self._add("PR", row, is_made=True)

    def _on_project(self, number: str, contacts: Sequence[str], sync: str = "Y") -> None:
        for contact in contacts:
            row = {
                "WBS1": number,
                "WBS2": BLANK,
                "WBS3": BLANK,
                "ContactID": contact,
                "AjeraSync": sync,
            }
            self._add("PRContactAssoc", row)

    def _linked_projects(self) -> None:
        """The same names; every tenth with another number, every seventh with other notes,
        a few with another client.
        """
        for number, row in enumerate(self._flagged.projects[:LINKED_PROJECTS]):
            client = (
                self._rng.choice(self._own_firms)
                if number % 15 == 7
                else self._firm_of[row["client"]]
            )
            wbs1 = f"X-{number:05}" if number % 10 == 3 else str(row["prjID"]).strip()
            name = str(row["prjDescription"]).strip()
            self._project(
                wbs1,
                name.upper() if number % 4 == 1 else name,
                client,
                ProjectType=crm_lists.code(crm_lists.PROJECT_TYPES, row["prjProjectType"]),
                Memo="As agreed by telephone."
                if number % 7 == 5
                else cut(row["prjNotes"], len(firm.LONG_NOTE)),
                Probability=self._rng.choice([None, 40, 90]),
                Stage=self._rng.choice(STAGES),
            )
            if number % 3 == 0:
                self._on_project(wbs1, self._contacts_of[client][:2])

    def _other_projects(self) -> None:
        """Only in DPS: forty made from a template that Ajera has; odd ones;
        and some that nobody flagged.
        """
        firms = [*list(self._firm_of.values())[:60], *self._own_firms]
        templates = [code for _, _, code, _ in crm_lists.TEMPLATES]
        for number in range(ONLY_PROJECTS + UNFLAGGED_PROJECTS):
            name = f"{self._rng.choice(CITIES)[0]} {self._rng.choice(BUILDINGS)} P{number}"
            name += ", with a Garage and a very long Driveway" if number % 8 == 5 else ""
            client = self._own_firms[0] if number == 0 else self._rng.choice(firms)
            sync = "Y" if number < ONLY_PROJECTS else "N"
            wbs1 = f"P-{number + 1:05}"
            self._project(
                wbs1,
                name,
                client,
                sync,
                ProjectTemplate=templates[number % len(templates)],
                ProjectType=self._rng.choice(["COM", "RES", "INT", None]),
                Memo=firm.LONG_NOTE if number == 1 else self._rng.choice([None, "Call the owner."]),
                Probability=self._rng.choice([None, 10, 50, 75]),
                Stage=self._rng.choice(STAGES),
            )
            many = MANY_ON_PROJECT if number == 0 else self._rng.randrange(4)
            self._on_project(
                wbs1,
                self._contacts_of[client][:many],
                sync if number % 6 else "Y",
            )
        client = firms[0]
        self._project(
            "P-90001",
            "Tower of a Template Unknown",
            client,
            ProjectTemplate=crm_lists.TEMPLATE_WITHOUT_AJERA,
        )
        self._project("P-90002", "Pavilion without a Template", client)
        name = str(self._flagged.unflagged_project["prjDescription"])
        self._project("P-90003", name, client, ProjectTemplate=templates[0])

    def _phases(self) -> None:
        """Rows below some projects, one of which is flagged by itself: no projects,
        whatever they say.
        """
        projects = [row["WBS1"] for row in self._rows["PR"][::15]]
        for number, wbs1 in enumerate(projects):
            for phase in range(2):
                row = {
                    "WBS1": wbs1,
                    "WBS2": f"{phase + 1:03}",
                    "WBS3": BLANK,
                    "Name": f"Phase {phase + 1}",
                    "Status": "A",
                }
                self._add(
                    "PR",
                    {
                        **row,
                        "AjeraSync": "Y" if number == phase == 0 else "N",
                    },
                    is_made=True,
                )

    def _employees(self) -> None:
        """Ten of Ajera's staff by name, each a name that only one of them has."""
        names = [
            folded(
                row["vecFirstName"],
                row["vecMiddleName"],
                row["vecLastName"],
            )
            for row in self._flagged.staff
        ]
        once = [
            row
            for row, name in zip(self._flagged.staff, names, strict=True)
            if names.count(name) == 1
        ]
        for number, row in enumerate(once[:EMPLOYEES], start=1):
            parts = {part: row[f"vec{part}"] for part in ("FirstName", "MiddleName", "LastName")}
            email, phone = (
                cut(row["vecEmail"], 50),
                cut(row["vecPhone1"], 24),
            )
            self._add(
                "EM",
                {
                    "Employee": f"{number:05}",
                    **parts,
                    "EMail": email,
                    "HomePhone": phone,
                    "Status": "A",
                },
            )
