"""One thing that `check` looked at."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.database.systems.finding import Finding
from pipeline.errors import PipelineError


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at. `action` says what to grant,
    set or correct where it is not ok.
    """

    area: str
    name: str
    is_ok: bool
    found: str
    action: str = ""


def line_of(area: str, finding: Finding) -> Line:
    return Line(area, finding.name, finding.is_ok, finding.found, finding.action)


def rights(area: str, where: str, missing: list[str]) -> Line:
    """Rights on the tables of a place; `missing` are grants."""
    found = "granted" if not missing else f"missing on {len(missing)} tables"
    action = f"{'; '.join(missing)}, each TO our user." if missing else ""
    return Line(area, f"rights on {where}", not missing, found, action)


def fault(area: str, name: str, error: PipelineError) -> Line:
    return Line(
        area,
        name,
        is_ok=False,
        found=f"{error.code}: {error}",
        action=error.hint,
    )
