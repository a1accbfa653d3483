"""An entry of the conflict log: what met what, when, by which rule it was decided, and who won."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pipeline.conflicts.link import Link
from pipeline.conflicts.rules import ColumnPair, Rule, Side
from pipeline.model.event import Value


class Kind(StrEnum):
    """What kind of conflict."""

    UPDATE_ORIGIN_DIFFERS = "update_origin_differs"  # both sides were edited
    # the side that does not own the column was edited; the owner's value returns
    OWNED_PUT_BACK = "owned_put_back"
    INSERT_EXISTS = "insert_exists"  # the row to be created exists already
    UPDATE_MISSING = "update_missing"  # the row to be changed is gone
    DELETE_ORIGIN_DIFFERS = "delete_origin_differs"  # an edit met the deletion of its counterpart
    LINK_ENDED = "link_ended"  # a row was deleted; the other one stays
    SUSPENDED = "suspended"  # a row is not of its kind any more: nothing is exchanged until it is
    # two filled rows differ in a line: when they were linked, or when it was added
    FIRST_LINK = "first_link"
    # the line was removed or compares something else now: what waited there has ended
    LINE_CHANGED = "line_changed"
    FILLED_ALREADY = "filled_already"  # the line only fills blanks, and another value is there


@dataclass(frozen=True, slots=True)
class Conflict:
    """Both values as each side stores them, both commit times (None: not known to be typed),
    rule and winner.

    `winner` is None where a person must decide, or where there was nothing to win.
    `column` is the line's name, None for the whole row.
    """

    link: str
    entity: str
    column: str | None
    kind: Kind
    rule: Rule | None
    winner: Side | None
    at: datetime
    ajera: Value = field(default=None, repr=False)
    dps: Value = field(default=None, repr=False)
    ajera_at: datetime | None = None
    dps_at: datetime | None = None

    def value(self, side: Side) -> Value:
        return self.ajera if side is Side.AJERA else self.dps


def about_line(
    link: Link,
    pair: ColumnPair,
    kind: Kind,
    winner: Side | None,
    now: datetime,
) -> Conflict:
    """The entry for one line, with what each side typed there."""
    return about_name(link, pair.name, kind, pair.rule, winner, now)


def about_name(
    link: Link,
    name: str,
    kind: Kind,
    rule: Rule | None,
    winner: Side | None,
    now: datetime,
) -> Conflict:
    """The same for a line that may be there no more."""
    return Conflict(
        link=link.id,
        entity=link.entity,
        column=name,
        kind=kind,
        rule=rule,
        winner=winner,
        at=now,
        ajera=link.ajera.user_value(name) if name in link.ajera.value else None,
        dps=link.dps.user_value(name) if name in link.dps.value else None,
        ajera_at=link.ajera.contended_at(name),
        dps_at=link.dps.contended_at(name),
    )


def about_owned(
    link: str, entity: str, column: str, ajera: Value, dps: Value, now: datetime
) -> Conflict:
    """The entry for a column beside the lines, which Ajera owns; what a person typed in DPS is
    overwritten.
    """
    return Conflict(
        *(link, entity, column, Kind.OWNED_PUT_BACK, Rule.AJERA, Side.AJERA, now), ajera, dps
    )


def about_row(link: Link, kind: Kind, now: datetime) -> Conflict:
    """The entry for the pair as a whole."""
    return Conflict(link.id, link.entity, None, kind, rule=None, winner=None, at=now)
