"""Lists of the firm's books: activities, employee types, departments and companies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

LABOR, EXPENSE, CONSULTANT = 1, 2, 3
_LABOR = (
    *("Design", "Drafting", "Site Visit", "Meeting", "Specifications", "Review"),
    *("Bidding", "Administration", "Survey", "Modelling", "Training", "Travel Time"),
)
_EXPENSES = ("Mileage", "Printing", "Postage", "Hotel", "Permit Fee")
_CONSULTANTS = ("Structural Consultant", "Surveyor", "Landscape Consultant")
ACTIVITIES: Final = tuple(
    (key, text, kind)
    for key, (text, kind) in enumerate(
        (
            *((text, LABOR) for text in _LABOR),
            *((text, EXPENSE) for text in _EXPENSES),
            *((text, CONSULTANT) for text in _CONSULTANTS),
        ),
        start=1,
    )
)
# Of no type, or of one that is neither labor, nor expense, nor consultant.
ODD_ACTIVITIES: Final = ((91, "Without a Type", None), (92, "None", 4), (93, "Zero", 0))
EMPLOYEE_TYPES: Final = (
    (1, "Principal"),
    (2, "Project Architect"),
    (3, "Architect"),
    (4, "Engineer"),
    (5, "Designer"),
    (6, "Drafter"),
    (7, "Intern"),
    (8, "Adviser"),
)
# The text of another one, in other letters and with blanks around; not Latin; and too long.
ODD_EMPLOYEE_TYPES: Final = (
    (21, "Designer"),
    (22, " Engineer\t"),
    (23, "DRAFTER"),
    (24, "Ζωγράφος"),
    (25, "Specification Writer for Schools, Clinics and other Buildings"),
)
# Nobody charges with these until somebody gives them a text.
UNNAMED_EMPLOYEE_TYPES: Final = ((31, None), (32, "  "))
DEPARTMENTS: Final = (
    (1, "Architecture", Decimal("152.5")),
    (2, "Interiors", Decimal("148.75")),
    (3, "Engineering", Decimal("161.3333")),
    (4, "Urban Planning", None),
    (5, "Archive", Decimal(0)),
)
COMPANIES: Final = ((1, "The Firm", Decimal("155.5")), (2, "The Firm of the North", None))
FEE_TYPES: Final = ("FixedFee", "PercentComplete", "UnitPrice", "PercentofConstructionCost")
TIME_TYPE: Final = "TimeAndExpense"
# As one firm writes them; not billable; and of no kind at all.
ODD_BILLING_TYPES: Final = ("Fixed Fee", "timeandexpense", "Adjustment", "Overhead", "", None)
DRAFT, PRINTED, FINAL = 0, 1, 2


def rows() -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """By table."""
    types = (*EMPLOYEE_TYPES, *ODD_EMPLOYEE_TYPES, *UNNAMED_EMPLOYEE_TYPES)
    return {
        "AxActivity": [
            {"actKey": key, "actDescription": text, "actType": kind}
            for key, text, kind in (*ACTIVITIES, *ODD_ACTIVITIES)
        ],
        "AxEmployeeType": [{"etKey": key, "etDescription": text} for key, text in types],
        "AxEntity": [
            {"eKey": key, "eDescription": text, "eOverheadPercent": overhead}
            for key, text, overhead in DEPARTMENTS
        ],
        "AxCompany": [
            {"cmpKey": key, "cmpDescription": text, "cmpOverheadPercent": overhead}
            for key, text, overhead in COMPANIES
        ],
    }


def activities(kind: int) -> tuple[int, ...]:
    """Keys of the activities of a type."""
    return tuple(key for key, _, one in ACTIVITIES if one == kind)
