"""What a site calls its tables and columns, and what it assumes: read from a site profile,
by the judge's own reading of it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STATUS_TEXTS = (
    "Preliminary",
    "Active",
    "Hold",
    "Work Hold",
    "Billing Hold",
    "Closed",
    "Marketing",
)
ASSUMPTIONS: Mapping[str, Any] = {
    "status_texts": {str(code): text for code, text in enumerate(STATUS_TEXTS)},
    "completed_statuses": ["Closed"],
    "address_separator": ", ",
    "generated_code": "AJ-{key}",
    "duplicate_code": "{code}-{key}",
    "internal_organization": "Internal",
    "project_manager_role": "Project Manager",
    "principal_role": "Principal in Charge",
    "marketing_role": "Marketing Contact",
    "crm": "dps",
    "closed_projects_follow": False,
    "marketing_phases_count": False,
    "activity_types": {"1": "labor", "2": "expense", "3": "consultant"},
    "final_invoice_statuses": [2],
    "fee_billing_types": [
        *("FixedFee", "PercentComplete", "UnitPrice", "PercentofConstructionCost"),
    ],
    "time_billing_types": ["TimeAndExpense"],
    "balances_are_received": True,
}
# Unicode's white space, and the separators U+001C to U+001F: what is blank,
# as a literal of PostgreSQL.
_BLANKS = (
    *range(0x09, 0x0E),
    *range(0x1C, 0x21),
    0x85,
    0xA0,
    0x1680,
    *range(0x2000, 0x200B),
    0x2028,
    0x2029,
    0x202F,
    0x205F,
    0x3000,
)
BLANKS = "E'" + "".join(f"\\u{code:04x}" for code in _BLANKS) + "'"
_UNQUALIFIED = re.compile(r"(?<![\w.])\{([A-Za-z_]+)\.([^}]+)\}")
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]+)(?:\.([^}]+))?\}")


@dataclass(frozen=True)
class Naming:
    """Canonical names to a site's. The default is the vendor's own page."""

    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    assumptions: Mapping[str, Any] = field(default_factory=lambda: ASSUMPTIONS)

    @classmethod
    def load(cls, profile: Path) -> Naming:
        """From a site profile (TOML)."""
        raw = tomllib.loads(profile.read_text(encoding="utf-8"))
        changed = raw.get("assumptions", {})
        return cls(
            {**raw.get("source", {}), **raw.get("target", {})},
            {**ASSUMPTIONS, **changed},
        )

    def table(self, name: str) -> str:
        return str(self.tables.get(name, {}).get("name", name))

    def column(self, table: str, name: str) -> str:
        return str(self.tables.get(table, {}).get("columns", {}).get(name, name))

    def sql(self, text: str) -> str:
        """Put quoted names in: `{AxVec}` is the table, `{AxVec.vecKey}` its column,
        `{Contact.Job Title}` likewise.
        """

        def name(found: re.Match[str]) -> str:
            table, column = found[1], found[2]
            return quoted(self.table(table) if column is None else self.column(table, column))

        return _PLACEHOLDER.sub(name, text)

    def joined(self, text: str) -> str:
        """The same for a query over several tables, which may call their columns alike: a column
        without an alias before it is its table's.
        """
        return self.sql(_UNQUALIFIED.sub(r"{\1}.{\1.\2}", text))


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
