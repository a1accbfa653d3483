"""Lists of the two-way sample: types and project templates on both sides,
mostly with the same descriptions.
"""

from __future__ import annotations

from typing import Final

import psycopg

from deploy.sample import firm
from deploy.sample.naming import Naming

# Ajera's key, its description, and the code under which DPS has the same description; None:
# DPS lacks it.
CLIENT_TYPES: Final = (
    (1, "Developer", "DEV"),
    (2, "Government", "GOV"),
    (3, "Education", "EDU"),
    (4, "Healthcare", "HEALTH"),
    (5, "Private Owner", "PRIV"),
)
PROJECT_TYPES: Final = (
    (1, "Commercial", "COM"),
    (2, "Residential", "RES"),
    (3, "Civic", "CIV"),
    (4, "Medical", "MED"),
    (5, "Infrastructure", "INFRA"),
    (6, "Historic Preservation", None),
)
TYPE_WITHOUT_CODE: Final = 6
VENDOR_TYPES: Final = (
    (1, "Structural", True),
    (2, "Surveyor", True),
    (3, "Supplier", False),
    (4, "Utility", False),
)
CONSULTANTS: Final = frozenset(key for key, _, is_consultant in VENDOR_TYPES if is_consultant)
TEMPLATES: Final = (
    (
        1,
        "Standard Project",
        "STD",
        (
            "Marketing",
            "Schematic Design",
            "Documents",
            "Permits",
            "Administration",
        ),
    ),
    (2, "Small Renovation", "SMALL", ("Design", "Administration")),
    (3, "Feasibility Study", "STUDY", ("Marketing", "Survey", "Report")),
)
# What only DPS has. The template is one that no Ajera template is named after.
ONLY_IN_DPS: Final = (
    ("CFGClientTypeDescriptions", "NPO", "Nonprofit"),
    ("CFGProjectTypeDescriptions", "INT", "Interiors"),
    ("CFGProjectTemplateDescriptions", "OLD", "Retired Template"),
)
TEMPLATE_WITHOUT_AJERA: Final = "OLD"


def code(types: tuple[tuple[int, str, str | None], ...], key: int | None) -> str | None:
    """DPS's code for an Ajera type."""
    return next((code for known, _, code in types if known == key), None)


def load(ajera: psycopg.Connection, dps: psycopg.Connection, naming: Naming) -> None:
    """Fill the lists of both sides. DPS writes one description in other letters."""
    phases = [(template, name) for template, _, _, names in TEMPLATES for name in names]
    in_ajera = {
        "AxClientType": [{"ctKey": key, "ctDescription": text} for key, text, _ in CLIENT_TYPES],
        "AxProjectType": [{"ptKey": key, "ptDescription": text} for key, text, _ in PROJECT_TYPES],
        "AxVendorType": [
            {"vtKey": key, "vtDescription": text, "vtIsConsultant": is_c}
            for key, text, is_c in VENDOR_TYPES
        ],
        "AxProjectTemplate": [
            {"tplKey": key, "tplDescription": text} for key, text, _, _ in TEMPLATES
        ],
        "AxProjectTemplatePhase": [
            {"tphKey": n, "tphTemplate": template, "tphDescription": name, "tphOrder": n}
            for n, (template, name) in enumerate(phases, start=1)
        ],
    }
    for table, rows in in_ajera.items():
        firm.insert(ajera, naming, table, rows)
    in_dps = [
        *(("CFGClientTypeDescriptions", code, text) for _, text, code in CLIENT_TYPES),
        *(("CFGProjectTypeDescriptions", code, text) for _, text, code in PROJECT_TYPES),
        *(("CFGProjectTemplateDescriptions", code, text) for _, text, code, _ in TEMPLATES),
        *ONLY_IN_DPS,
    ]
    for table in sorted({table for table, _, _ in in_dps}):
        listed = [
            {
                "Code": code,
                "Description": text.upper() if code == "HEALTH" else text,
            }
            for name, code, text in in_dps
            if name == table and code is not None
        ]
        firm.insert(dps, naming, table, listed)
