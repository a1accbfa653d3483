"""Which row of the other side is the counterpart: by name.
The mapping table of known pairs is asked first, by the caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.conflicts.conflict import Kind
from pipeline.conflicts.forms import folded

VENDORS_REMEDY = (
    "A project of that name is in Ajera, but not set to be exchanged. Tick Sync to CRM on it in the Project Command "
    'Center (the vendor\'s "Map unsynced Ajera projects to existing CRM projects"), or rename one of the two.'
)
TWO_FIRMS_REMEDY = (
    "The firm of that name in DPS is client and vendor, and is exchanged as a client. Make two firms of it: untick Vendor "
    "on it, or give the vendor a firm of its own."
)
AMBIGUOUS_REMEDY = "Several rows carry that name: rename all but one, or link the pair by key."
CONTACTS_REMEDY = "Untick Ajera Sync on one of the linked contacts, or raise the limit if this DPS version allows more."


@dataclass(frozen=True, slots=True)
class Candidate:
    """An unlinked row of the other side. `is_flagged`: it is set to be exchanged."""

    key: str
    name: str = field(repr=False)
    is_flagged: bool = True


@dataclass(frozen=True, slots=True)
class Links:
    """Exactly one row matches."""

    key: str


@dataclass(frozen=True, slots=True)
class Creates:
    """No row matches: a counterpart is created."""


@dataclass(frozen=True, slots=True)
class Parks:
    """A person must do something first; `keys` are the rows in question."""

    kind: Kind
    hint: str
    keys: tuple[str, ...] = ()


Match = Links | Creates | Parks


def match(
    name: str,
    candidates: Iterable[Candidate],
    *,
    namesakes_park: bool = False,
) -> Match:
    """The match of a name among unlinked rows, case and blanks aside (`folded`).
    A blank name matches nothing.

    `namesakes_park`: a row of that name that is not flagged forbids
    creating a second one (projects, DPS to Ajera).
    """
    wished = folded(name)
    same = [candidate for candidate in candidates if wished and folded(candidate.name) == wished]
    flagged = [candidate for candidate in same if candidate.is_flagged]
    if len(flagged) == 1:
        return Links(flagged[0].key)
    if flagged:
        return Parks(
            Kind.AMBIGUOUS_MATCH,
            AMBIGUOUS_REMEDY,
            tuple(sorted(c.key for c in flagged)),
        )
    if same and namesakes_park:
        return Parks(
            Kind.NAMESAKE_NOT_FLAGGED,
            VENDORS_REMEDY,
            tuple(sorted(c.key for c in same)),
        )
    return Creates()


def ambiguous_remedy(marks: Iterable[str]) -> str:
    """What a person does about several rows of one name; `marks`:
    the lines that could tell them apart.
    """
    lines = ", ".join(mark.rpartition(".")[2] for mark in marks)
    return (
        f"{AMBIGUOUS_REMEDY} Or type what tells them apart on both sides: {lines}."
        if lines
        else AMBIGUOUS_REMEDY
    )


def admit(linked: int, limit: int | None) -> Parks | None:
    """May one more contact be linked to a firm or project that has `linked` already. None: yes."""
    return (
        Parks(Kind.CONTACTS_FULL, CONTACTS_REMEDY)
        if limit is not None and linked >= limit
        else None
    )
