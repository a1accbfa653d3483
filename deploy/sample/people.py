"""Made-up names, places and notes of the sample firm, drawn from a seeded generator."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

FIRST = (
    *(
        "Anna",
        "Ben",
        "Carla",
        "David",
        "Elena",
        "Frank",
        "Grace",
        "Hugo",
        "Ines",
        "Jonas",
        "Karin",
        "Liam",
        "Maria",
    ),
    *(
        "Noah",
        "Olga",
        "Paul",
        "Quinn",
        "Rosa",
        "Sven",
        "Tara",
        "Umar",
        "Vera",
        "Will",
        "Xenia",
        "Yusuf",
        "Zoë",
    ),
)
LAST = (
    *(
        "Adams",
        "Berger",
        "Castillo",
        "Dubois",
        "Eriksen",
        "Fischer",
        "Garcia",
        "Hansen",
        "Ivanov",
        "Jensen",
        "Keller",
    ),
    *(
        "Larsson",
        "Moreau",
        "Novak",
        "O'Brien",
        "Petersen",
        "Quist",
        "Rossi",
        "Schmidt",
        "Tanaka",
        "Usman",
        "Vogel",
    ),
)
NOT_LATIN = ("Γιώργος", "Елена", "美咲", "محمد", "김민준", "ნინო")
COMPANIES = (
    "Acme",
    "Harbour",
    "Northgate",
    "Riverside",
    "Summit",
    "Oakfield",
    "Bluestone",
    "Meridian",
    "Copper Hill",
)
TRADES = (
    "Development",
    "Properties",
    "School District",
    "Health",
    "Concrete",
    "Surveying",
    "Partners",
    "Foundation",
)
CITIES = (
    ("Portland", "OR"),
    ("Spokane", "WA"),
    ("Boise", "ID"),
    ("Reno", "NV"),
    ("Medford", "OR"),
    ("Tacoma", "WA"),
)
STREETS = (
    "Main St",
    "Oak Ave",
    "Harbor Blvd",
    "3rd St",
    "Mill Rd",
    "Pine St",
)
TITLES = (
    "Architect",
    "Engineer",
    "Designer",
    "Project Manager",
    "Principal",
    "Drafter",
    "Accountant",
    None,
)
ROLES = (
    "Structural Engineer",
    "Drafter",
    "Site Supervisor",
    "Specification Writer",
    "project manager",
    "Landscape",
)
BUILDINGS = (
    "Library",
    "Clinic",
    "Bridge",
    "School",
    "Warehouse",
    "Town Hall",
    "Apartments",
    "Fire Station",
)

Row = Mapping[str, Any]


class People:
    """Draws rows' values."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def phone(self) -> str:
        return (
            f"({self.rng.randrange(200, 999)}) "
            f"{self.rng.randrange(200, 999)}-{self.rng.randrange(10_000):04}"
        )

    def first(self) -> str:
        return self.rng.choice(NOT_LATIN) if self.rng.random() < 0.03 else self.rng.choice(FIRST)

    def last(self) -> str:
        return self.rng.choice(NOT_LATIN) if self.rng.random() < 0.03 else self.rng.choice(LAST)

    def company(self) -> str:
        return (
            f"{self.rng.choice(COMPANIES)} {self.rng.choice(TRADES)} {self.rng.randrange(1, 900)}"
        )

    def address(self) -> dict[str, Any]:
        """The columns of AxVec."""
        city, state = self.rng.choice(CITIES)
        return {
            "vecAddress1": f"{self.rng.randrange(1, 9999)} {self.rng.choice(STREETS)}",
            "vecAddress2": self.rng.choice([None, "", "Suite 200", "Floor 3"]),
            "vecAddress3": self.rng.choice([None, None, "c/o Reception"]),
            "vecCity": city,
            "vecState": state,
            "vecZip": f"{self.rng.randrange(97_000, 99_999)}",
        }

    def company_row(self, key: int, *, client: bool, vendor: bool) -> dict[str, Any]:
        name = self.company()
        return {
            "vecKey": key,
            "vecDescription": name,
            **self.address(),
            "vecPhone1": self.rng.choice([self.phone(), self.phone(), "", None]),
            "vecPhone2": self.rng.choice([self.phone(), None]),
            "vecFax": self.rng.choice([self.phone(), None]),
            "vecWebsite": f"www.{name.split()[0].lower()}{key}.example",
            "vecEmail": f"office@{name.split()[0].lower()}{key}.example",
            "vecIsClient": client,
            "vecIsVendor": vendor,
            "vecIsEmployee": False,
            "vecStatus": 1,
        }

    def employee_row(self, key: int) -> dict[str, Any]:
        first, last = self.first(), self.last()
        return {
            "vecKey": key,
            "vecDescription": f"{last}, {first}",
            "vecFirstName": first,
            "vecMiddleName": self.rng.choice([None, "J.", "Marie"]),
            "vecLastName": last,
            "vecTitle": self.rng.choice(TITLES),
            "vecEmail": f"staff{key}@firm.example",
            "vecPhone1": self.phone(),
            "vecPhone2": self.rng.choice([self.phone(), None]),
            "vecIsClient": False,
            "vecIsVendor": False,
            "vecIsEmployee": True,
            "vecStatus": 1,
        }

    def contact_row(self, key: int, client: int | None, vendor: int | None) -> dict[str, Any]:
        return {
            "cntKey": key,
            "cntFirstName": self.first(),
            "cntMiddleName": self.rng.choice([None, None, "A."]),
            "cntLastName": self.last(),
            "cntTitle": self.rng.choice(TITLES),
            "cntEmail": f"contact{key}@example.example",
            "cntPhone1": self.phone(),
            "cntPhone2": self.rng.choice([self.phone(), None, ""]),
            "cntClient": client,
            "cntVendor": vendor,
            "cntStatus": 1,
        }

    def project_row(self, key: int, staff: int) -> dict[str, Any]:
        pick = self.rng.randint
        return {
            "prjKey": key,
            "prjID": f"{20 + key % 7}-{key:05}",
            "prjDescription": f"{self.rng.choice(CITIES)[0]} {self.rng.choice(BUILDINGS)} {key}",
            "prjNotes": self.rng.choice(
                [
                    None,
                    "",
                    "Kick-off held.",
                    "Waiting for the survey.\nCall the city.",
                ]
            ),
            "prjStatus": self.rng.choices(range(7), weights=(2, 10, 1, 1, 1, 6, 2))[0],
            "prjProject": self.rng.choice([None, 0, key]),
            "prjProjectManager": pick(1, staff),
            "prjPrincipalInCharge": self.rng.choice([pick(1, staff), None, 0]),
            "prjMarketingContact": self.rng.choice([pick(1, staff), None]),
            "prjOrder": key,
        }

    def phase_row(self, key: int, project: int) -> dict[str, Any]:
        name = self.rng.choice(
            (
                "Schematic Design",
                "Construction Documents",
                "Permits",
                "Administration",
            )
        )
        return {
            "prjKey": key,
            "prjDescription": name,
            "prjStatus": 1,
            "prjProject": project,
            "prjOrder": key,
        }
