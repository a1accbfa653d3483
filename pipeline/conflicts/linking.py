"""Which row of the other side is the counterpart: by name.
The mapping table of known pairs is asked first, by the caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.conflicts.forms import folded
from pipeline.errors import ParkReason


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

    reason: ParkReason
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
            ParkReason.AMBIGUOUS_MATCH,
            ParkReason.AMBIGUOUS_MATCH.hint,
            tuple(sorted(c.key for c in flagged)),
        )
    if same and namesakes_park:
        return Parks(
            ParkReason.NAMESAKE_NOT_FLAGGED,
            ParkReason.NAMESAKE_NOT_FLAGGED.hint,
            tuple(sorted(c.key for c in same)),
        )
    return Creates()


def ambiguous_remedy(marks: Iterable[str]) -> str:
    """What a person does about several rows of one name; `marks`:
    the lines that could tell them apart.
    """
    lines = ", ".join(mark.rpartition(".")[2] for mark in marks)
    hint = ParkReason.AMBIGUOUS_MATCH.hint
    return f"{hint} Or type what tells them apart on both sides: {lines}." if lines else hint


def admit(linked: int, limit: int | None) -> Parks | None:
    """May one more contact be linked to a firm or project that has `linked` already. None: yes."""
    return (
        Parks(ParkReason.CONTACTS_FULL, ParkReason.CONTACTS_FULL.hint)
        if limit is not None and linked >= limit
        else None
    )
