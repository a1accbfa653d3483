"""A link as JSON text, and back, exactly: numbers stay exact, times keep their offset,
null is not absent.

It is written and read for every event, so that plain values go through as they are, and what a
side's log showed is written only where it differs from what that side holds.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import orjson

from pipeline.conflicts.link import (
    Desired,
    Link,
    LinkSide,
    Obstacle,
    Parked,
    Pending,
    Seen,
    State,
    Values,
)
from pipeline.conflicts.rules import Side
from pipeline.model.event import Value
from pipeline.model.position import TopicOffset

# What the JSON library reads; it ends at the functions of this module, none of it goes further.
Json: TypeAlias = Any


def dump(link: Link) -> str:
    """The link as JSON text."""
    document = {
        "id": link.id,
        "entity": link.entity,
        "ajera": _side_out(link.ajera),
        "dps": _side_out(link.dps),
        "state": link.state.value,
        "version": link.version,
        "number": link.number,
        "parked": {name: _parked_out(parked) for name, parked in link.parked.items()},
        "coincident": sorted(link.coincident),
        "obstacle": None if link.obstacle is None else link.obstacle.value,
        "ended_at": None if link.ended_at is None else link.ended_at.isoformat(),
        "ended_by": None if link.ended_by is None else link.ended_by.value,
        "off": sorted(side.value for side in link.off),
        "kept": sorted(link.kept),
        "both_gone": link.both_gone,
        "of": link.of,
        "counts_for": link.counts_for,
        "out": sorted(link.out),
        "lines": link.lines,
    }
    return _text(document)


def load(text: str) -> Link:
    """The link of such a text, also as earlier versions wrote it.

    Raises ValueError or KeyError for anything that `dump` did not write.
    """
    document = orjson.loads(text)
    return Link(
        id=document["id"],
        entity=document["entity"],
        ajera=_side_in(document["ajera"]),
        dps=_side_in(document["dps"]),
        state=State(document["state"]),
        version=document["version"],
        number=document["number"],
        parked={name: _parked_in(entry) for name, entry in document["parked"].items()},
        coincident=frozenset(document["coincident"]),
        obstacle=None if document["obstacle"] is None else Obstacle(document["obstacle"]),
        ended_at=None
        if document["ended_at"] is None
        else datetime.fromisoformat(document["ended_at"]),
        ended_by=None if document["ended_by"] is None else Side(document["ended_by"]),
        off=frozenset(Side(side) for side in document["off"]),
        kept=frozenset(document.get("kept", ())),
        both_gone=document.get("both_gone", False),
        of=document.get("of"),
        counts_for=document.get("counts_for"),
        out=frozenset(document.get("out", ())),
        lines=document.get("lines"),
    )


def dump_values(values: Values) -> str:
    """Line values as JSON text."""
    return _text(values)


def load_values(text: str) -> dict[str, Value]:
    """The line values of such a text."""
    return _values_in(orjson.loads(text))


def dump_value(value: Value) -> str:
    """One value as JSON text."""
    return _text(value)


def load_value(text: str) -> Value:
    """The value of such a text."""
    return _value_in(orjson.loads(text))


def _tagged(value: object) -> Json:
    """A value that JSON does not have, tagged with its type.
    Raises TypeError for anything that is no value.
    """
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    raise TypeError("not a value of a link")


def _value_in(found: Json) -> Value:
    """Raises ValueError for a tag that is not known."""
    match found:
        case {"decimal": str(text)}:
            return Decimal(text)
        case {"datetime": str(text)}:
            return datetime.fromisoformat(text)
        case {"date": str(text)}:
            return date.fromisoformat(text)
        case None | str() | bool() | int():
            return found
        case _:
            raise ValueError("not a value of a link")


def _text(document: Json) -> str:
    options = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME
    return orjson.dumps(document, default=_tagged, option=options).decode()


_PLAIN = frozenset({str, int, bool, type(None)})


def _values_in(found: Json) -> dict[str, Value]:
    return {
        name: value if value.__class__ in _PLAIN else _value_in(value)
        for name, value in found.items()
    }


def _side_out(link_side: LinkSide) -> Json:
    place = link_side.seen.place
    return {
        "table": link_side.table,
        "key": link_side.key,
        "seen": [
            link_side.seen.position,
            place.incarnation,
            place.partition,
            place.offset,
            link_side.seen.epoch,
        ],
        "read_at": None if link_side.seen.read_at is None else link_side.seen.read_at.isoformat(),
        "seen_at": None
        if link_side.seen.committed_at is None
        else link_side.seen.committed_at.isoformat(),
        "value": link_side.value,
        "observed": _differing(link_side),
        "unobserved": sorted(link_side.value.keys() - link_side.observed.keys()),
        "edited_at": {name: at.isoformat() for name, at in link_side.edited_at.items()},
        "dirty": sorted(link_side.dirty),
        "pending": [_pending_out(pending) for pending in link_side.pending],
        "wanted": {
            name: [w.value, w.at.isoformat(), w.is_decided] for name, w in link_side.wanted.items()
        },
    }


def _differing(link_side: LinkSide) -> Values:
    """What the log showed, where the side holds another value by now, or of another type."""
    if link_side.observed is link_side.value:
        return {}
    held, absent = link_side.value, object()
    return {
        name: value
        for name, value in link_side.observed.items()
        if not _is_same(value, held.get(name, absent))
    }


def _is_same(one: object, other: object) -> bool:
    """To the letter: 1 and true, or 1.0 and 1.00, are equal and not the same."""
    return one is other or (
        one.__class__ is other.__class__ and one == other and str(one) == str(other)
    )


def _observed_in(value: dict[str, Value], differing: Json, unobserved: Json) -> dict[str, Value]:
    if not (differing or unobserved):
        return value
    return {name: held for name, held in value.items() if name not in unobserved} | _values_in(
        differing
    )


def _side_in(found: Json) -> LinkSide:
    position, incarnation, partition, offset, epoch = found["seen"]
    read_at = None if found["read_at"] is None else datetime.fromisoformat(found["read_at"])
    seen_at = None if found["seen_at"] is None else datetime.fromisoformat(found["seen_at"])
    value = _values_in(found["value"])
    return LinkSide(
        table=found["table"],
        key=found["key"],
        seen=Seen(
            position,
            TopicOffset(incarnation, partition, offset),
            epoch,
            read_at,
            seen_at,
        ),
        value=value,
        observed=_observed_in(value, found["observed"], found["unobserved"]),
        edited_at={name: datetime.fromisoformat(at) for name, at in found["edited_at"].items()},
        dirty=frozenset(found["dirty"]),
        pending=tuple(_pending_in(pending) for pending in found["pending"]),
        wanted={
            name: Desired(_value_in(value), datetime.fromisoformat(at), is_decided)
            for name, (value, at, is_decided) in found["wanted"].items()
        },
    )


def _pending_out(pending: Pending) -> Json:
    return {
        "number": pending.number,
        "values": pending.values,
        "expected": pending.expected,
        "at": pending.at.isoformat(),
        "is_open": pending.is_open,
        "after": pending.after,
        "creates": pending.creates,
    }


def _pending_in(found: Json) -> Pending:
    return Pending(
        number=found["number"],
        values=_values_in(found["values"]),
        expected=_values_in(found["expected"]),
        at=datetime.fromisoformat(found["at"]),
        is_open=found["is_open"],
        after=found["after"],
        creates=found["creates"],
    )


def _parked_out(parked: Parked) -> Json:
    return [
        parked.ajera,
        parked.dps,
        parked.since.isoformat(),
        parked.reason,
    ]


def _parked_in(found: Json) -> Parked:
    ajera, dps, since, reason = found
    return Parked(
        _value_in(ajera),
        _value_in(dps),
        datetime.fromisoformat(since),
        reason,
    )
