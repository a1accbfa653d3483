"""A link as JSON text, and back, exactly: numbers stay exact, times keep their offset,
null is not absent.

It is written and read for every event, so that plain values go through as they are, what is empty
is left out, and what a side's log showed is written only where it differs from what the side holds.
"""

from __future__ import annotations

from datetime import datetime

import orjson

from pipeline.conflicts.line_values import (
    Document,
    Json,
    is_same,
    text_of,
    value_in,
    value_out,
    values_in,
    values_out,
)
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

_STATES = {state.value: state for state in State}


def dump(link: Link) -> str:
    """The link as JSON text."""
    document: Document = {
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
    return text_of(document)


def load(text: str) -> Link:
    """The link of such a text, also as earlier versions wrote it, each with all fields.

    Raises ValueError or KeyError for anything that `dump` did not write.
    """
    return link_of(document_of(text))


def document_of(text: str) -> Document:
    """The link as JSON has it; for what is decided without making more of it (plain.py)."""
    found: Document = orjson.loads(text)
    return found


def link_of(document: Document) -> Link:
    """The link of a document that was just read. Raises as `load` does."""
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


def epoch_of(link_side: Document) -> int:
    """The newest epoch of a side that was seen."""
    return int(link_side["seen"][-1])


def _side_out(link_side: LinkSide) -> Json:
    seen = link_side.seen
    found: Document = {
        "table": link_side.table,
        "key": link_side.key,
        "seen": [seen.position, *seen.place, seen.epoch],
        "read_at": seen.read_at,
        "seen_at": seen.committed_at,
        "value": values_out(link_side.value),
    }
    if link_side.observed is not link_side.value:
        found["observed"] = values_out(_differing(link_side))
        found["unobserved"] = sorted(link_side.value.keys() - link_side.observed.keys())
    if link_side.edited_at:
        found["edited_at"] = link_side.edited_at
    if link_side.dirty:
        found["dirty"] = sorted(link_side.dirty)
    if link_side.pending:
        found["pending"] = [pending_out(pending) for pending in link_side.pending]
    if link_side.wanted:
        found["wanted"] = {
            name: [value_out(one.value), one.at, one.is_decided]
            for name, one in link_side.wanted.items()
        }
    return found


def _differing(link_side: LinkSide) -> Values:
    """What the log showed, where the side holds another value by now, or of another type."""
    held, absent = link_side.value, object()
    return {
        name: value
        for name, value in link_side.observed.items()
        if not is_same(value, held.get(name, absent))
    }


def observed_in(value: dict[str, Value], differing: Json, unobserved: Json) -> dict[str, Value]:
    if not (differing or unobserved):
        return value
    return {name: held for name, held in value.items() if name not in unobserved} | values_in(
        differing
    )


def _side_in(found: Json) -> LinkSide:
    position, incarnation, partition, offset, epoch = found["seen"]
    place = TopicOffset(incarnation, partition, offset)
    value, get = values_in(found["value"]), found.get
    edited_at, pending, wanted = get("edited_at"), get("pending"), get("wanted")
    seen = Seen(
        position, place, epoch, _instant_in(found["read_at"]), _instant_in(found["seen_at"])
    )
    return LinkSide(  # by place: by name takes twice as long
        found["table"],
        found["key"],
        seen,
        value,
        observed_in(value, get("observed"), get("unobserved")),
        {n: datetime.fromisoformat(at) for n, at in edited_at.items()} if edited_at else {},
        frozenset(get("dirty", ())),
        tuple(map(pending_in, pending)) if pending else (),
        {name: _desired_in(entry) for name, entry in wanted.items()} if wanted else {},
    )


def _desired_in(found: Json) -> Desired:
    value, at, is_decided = found
    return Desired(value_in(value), datetime.fromisoformat(at), is_decided)


def _instant_in(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def pending_out(pending: Pending) -> Json:
    return {
        "number": pending.number,
        "values": values_out(pending.values),
        "expected": values_out(pending.expected),
        "at": pending.at,
        "is_open": pending.is_open,
        "after": pending.after,
        "creates": pending.creates,
    }


def pending_in(found: Json) -> Pending:
    return Pending(
        number=found["number"],
        values=values_in(found["values"]),
        expected=values_in(found["expected"]),
        at=datetime.fromisoformat(found["at"]),
        is_open=found["is_open"],
        after=found["after"],
        creates=found["creates"],
    )


def _parked_out(parked: Parked) -> Json:
    return [value_out(parked.ajera), value_out(parked.dps), parked.since, parked.reason]


def _parked_in(found: Json) -> Parked:
    ajera, dps, since, reason = found
    return Parked(
        value_in(ajera),
        value_in(dps),
        datetime.fromisoformat(since),
        reason,
    )
