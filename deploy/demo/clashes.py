"""What Ann and Bob both type into: one field for each rule, and what each side must hold then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from deploy.sample import crm_lists

NUMBER, NEW_NUMBER = "HILL-1", "HILL-2"
TYPES: Final[Mapping[Any, str]] = {
    code: text
    for key, text, short in crm_lists.PROJECT_TYPES
    for code in (key, short)
    if code is not None
}
MARKETS: Final[Mapping[Any, str]] = {
    code: text
    for key, text, short in crm_lists.CLIENT_TYPES
    for code in (key, short)
    if code is not None
}


@dataclass(frozen=True, slots=True)
class Clash:
    """One field that both type into: where, what, what each side must hold in the end,
    and how its codes read.

    `bob` is None where he cannot type: DPS lets nobody change a key.
    """

    rule: str
    line: str
    in_ajera: str
    in_dps: str
    ann: Any
    bob: Any
    ends: tuple[Any, Any]
    codes: Mapping[Any, str] | None = None
    is_logged: bool = True

    @property
    def entity(self) -> str:
        return self.line.partition(".")[0]

    def shown(self, value: Any) -> str:
        return (
            "nothing"
            if value is None
            else f'"{self.codes.get(value, value) if self.codes else value}"'
        )


ANNS_NOTES, BOBS_NOTES = (
    "Ann: wants the drawings by May.",
    "Bob: wants a second offer.",
)
CLASHES: Final = (
    Clash(
        "newest",
        "firm.name",
        "AxVec.vecDescription",
        "Clendor.Name",
        "Hill & Co Ltd",
        "Hill and Company",
        ("Hill and Company", "Hill and Company"),
    ),
    Clash(
        "ajera",
        "project.type",
        "AxProject.prjProjectType",
        "PR.ProjectType",
        3,
        "RES",
        (3, "CIV"),
        TYPES,
    ),
    Clash(
        "dps", "firm.market", "AxVec.vecClientType", "Clendor.Type", 3, "GOV", (2, "GOV"), MARKETS
    ),
    Clash(
        "manual",
        "firm.notes",
        "AxVec.vecClientNotes",
        "Clendor.Memo",
        ANNS_NOTES,
        BOBS_NOTES,
        (ANNS_NOTES, BOBS_NOTES),
    ),
    Clash(
        "create_only",
        "project.number",
        "AxProject.prjID",
        "PR.WBS1",
        NEW_NUMBER,
        None,
        (NEW_NUMBER, NUMBER),
        is_logged=False,
    ),
)
