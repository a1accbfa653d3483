"""A link as JSON text, and back, exactly: numbers stay exact, times keep their offset,
null is not absent.

It is written and read for every event, so that plain values go through as they are, what is empty
is left out, and what a side's log showed is written only where it differs from what the side holds.
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
    document: dict[str, Json] = {
        "id": link.id,
        "entity": link.entity,
        "ajera": _side_out(link.ajera),
        "dps": _side_out(link.dps),
        "state": link.state.value,
        "version": link.version,
        "number": link.number,
        "lines": link.lines,
        "of": link.of,
        "counts_for": link.counts_for,
    }
    if link.parked:
        document["parked"] = {name: _parked_out(parked) for name, parked in link.parked.items()}
    for name, names in (("coincident", link.coincident), ("kept", link.kept), ("out", link.out)):
        if names:
            document[name] = sorted(names)
    if link.off:
        document["off"] = sorted(side.value for side in link.off)
    if link.obstacle is not None:
        document["obstacle"] = link.obstacle.value
    if link.ended_at is not None or link.ended_by is not None or link.both_gone:
        document["ended_at"] = link.ended_at
        document["ended_by"] = None if link.ended_by is None else link.ended_by.value
        document["both_gone"] = link.both_gone
    return _text(document)


def load(text: str) -> Link:
    """The link of such a text, also as earlier versions wrote it, each with all fields.

    Raises ValueError or KeyError for anything that `dump` did not write.
    """
    document = orjson.loads(text)
    found = document.get
    parked, obstacle, ended_by = found("parked"), found("obstacle"), found("ended_by")
    return Link(
        id=document["id"],
        entity=document["entity"],
        ajera=_side_in(document["ajera"]),
        dps=_side_in(document["dps"]),
        state=_STATES[document["state"]],
        version=document["version"],
        number=document["number"],
        parked={name: _parked_in(entry) for name, entry in parked.items()} if parked else {},
        coincident=frozenset(found("coincident", ())),
        obstacle=None if obstacle is None else Obstacle(obstacle),
        ended_at=_instant_in(found("ended_at")),
        ended_by=None if ended_by is None else Side(ended_by),
        off=frozenset(map(Side, found("off", ()))),
        kept=frozenset(found("kept", ())),
        both_gone=bool(found("both_gone")),
        of=found("of"),
        counts_for=found("counts_for"),
        out=frozenset(found("out", ())),
        lines=found("lines"),
    )


def dump_values(values: Values) -> str:
    """Line values as JSON text."""
    return _text(_values_out(values))


def load_values(text: str) -> dict[str, Value]:
    """The line values of such a text."""
    return _values_in(orjson.loads(text))


def dump_value(value: Value) -> str:
    """One value as JSON text."""
    return _text(_value_out(value))


def load_value(text: str) -> Value:
    """The value of such a text."""
    return _value_in(orjson.loads(text))


def _value_out(value: Value) -> Json:
    """Times are tagged as values; the link's own times are not."""
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    return {"date": value.isoformat()} if isinstance(value, date) else value


def _values_out(values: Values) -> Json:
    if _TIMES.isdisjoint(map(type, values.values())):
        return values
    return {name: _value_out(value) for name, value in values.items()}


def _tagged(value: object) -> Json:
    """A number as it is written. Raises TypeError for anything that is no value."""
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
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
    return orjson.dumps(document, default=_tagged).decode()


_PLAIN = frozenset({str, int, bool, type(None)})
_TIMES = frozenset({date, datetime})
_STATES = {state.value: state for state in State}


def _values_in(found: dict[str, Json]) -> dict[str, Value]:
    if _PLAIN.issuperset(map(type, found.values())):
        return found
    return {
        name: value if value.__class__ in _PLAIN else _value_in(value)
        for name, value in found.items()
    }


def _side_out(link_side: LinkSide) -> Json:
    seen = link_side.seen
    found: dict[str, Json] = {
        "table": link_side.table,
        "key": link_side.key,
        "seen": [seen.position, *seen.place, seen.epoch],
        "read_at": seen.read_at,
        "seen_at": seen.committed_at,
        "value": _values_out(link_side.value),
    }
    if link_side.observed is not link_side.value:
        found["observed"] = _values_out(_differing(link_side))
        found["unobserved"] = sorted(link_side.value.keys() - link_side.observed.keys())
    if link_side.edited_at:
        found["edited_at"] = link_side.edited_at
    if link_side.dirty:
        found["dirty"] = sorted(link_side.dirty)
    if link_side.pending:
        found["pending"] = [_pending_out(pending) for pending in link_side.pending]
    if link_side.wanted:
        found["wanted"] = {
            name: [_value_out(one.value), one.at, one.is_decided]
            for name, one in link_side.wanted.items()
        }
    return found


def _differing(link_side: LinkSide) -> Values:
    """What the log showed, where the side holds another value by now, or of another type."""
    held, absent = link_side.value, object()
    return {
        name: value
        for name, value in link_side.observed.items()
        if not _is_same(value, held.get(name, absent))
    }


def _is_same(one: object, other: object) -> bool:
    """To the letter: 1 and true, or 1.0 and 1.00, are equal and not the same."""
    return one is other or (
        one.__class__ is other.__class__
        and one == other
        and (one.__class__ in _PLAIN or str(one) == str(other))
    )


def _observed_in(value: dict[str, Value], differing: Json, unobserved: Json) -> dict[str, Value]:
    if not (differing or unobserved):
        return value
    return {name: held for name, held in value.items() if name not in unobserved} | _values_in(
        differing
    )


def _side_in(found: Json) -> LinkSide:
    position, incarnation, partition, offset, epoch = found["seen"]
    place = TopicOffset(incarnation, partition, offset)
    value, get = _values_in(found["value"]), found.get
    edited_at, pending, wanted = get("edited_at"), get("pending"), get("wanted")
    seen = Seen(
        position, place, epoch, _instant_in(found["read_at"]), _instant_in(found["seen_at"])
    )
    return LinkSide(  # by place: by name takes twice as long
        found["table"],
        found["key"],
        seen,
        value,
        _observed_in(value, get("observed"), get("unobserved")),
        {n: datetime.fromisoformat(at) for n, at in edited_at.items()} if edited_at else {},
        frozenset(get("dirty", ())),
        tuple(map(_pending_in, pending)) if pending else (),
        {name: _desired_in(entry) for name, entry in wanted.items()} if wanted else {},
    )


def _desired_in(found: Json) -> Desired:
    value, at, is_decided = found
    return Desired(_value_in(value), datetime.fromisoformat(at), is_decided)


def _instant_in(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _pending_out(pending: Pending) -> Json:
    return {
        "number": pending.number,
        "values": _values_out(pending.values),
        "expected": _values_out(pending.expected),
        "at": pending.at,
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
    return [_value_out(parked.ajera), _value_out(parked.dps), parked.since, parked.reason]


def _parked_in(found: Json) -> Parked:
    ajera, dps, since, reason = found
    return Parked(
        _value_in(ajera),
        _value_in(dps),
        datetime.fromisoformat(since),
        reason,
    )
