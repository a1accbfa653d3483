"""The plain event, decided at once on the link's document as it is stored: nothing is asked for in
it, and each line of the row is what was known, what our own write explains, or an edit that goes to
the other side unopposed.

What is here is `reconcile`, and `settle` of a write that was carried out whole, for that case and
for no other: it gives what they give, or None, and then they are asked. Property tests hold them
alike (tests/properties/conflicts/test_plain.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pipeline.conflicts import guards
from pipeline.conflicts.codec import observed_in, pending_out
from pipeline.conflicts.decision import Applied, Reason, Write
from pipeline.conflicts.line_values import (
    Document,
    is_same,
    value_in,
    value_out,
    values_in,
    values_out,
)
from pipeline.conflicts.link import Pending, Seen, State, Values
from pipeline.conflicts.rules import ColumnPair, Rules, Side
from pipeline.model import applied
from pipeline.model.event import Event, Operation, Value
from pipeline.model.frozen import light
from pipeline.model.outcome import Outcome
from pipeline.model.position import EPOCH_WIDTH, TopicOffset

STREAMED = (Operation.UPDATE, Operation.CREATE)


@light(frozen=True, slots=True)
class PlainDecision:
    """What a plain event leads to. `document`: the link after the event, before its write, which
    `asked` and `carried_out` put into it.
    """

    document: Document
    outcome: Outcome
    reason: Reason
    write: Write | None = None


def decide_plain(
    document: Document, side: Side, event: Event, rules: Rules
) -> PlainDecision | None:
    """What `reconcile` decides about an event of `side`, None if the event is not plain."""
    mine, other = document[side], document[side.other]
    if (
        event.operation not in STREAMED
        or not _is_calm(document, mine, other)
        or applied.is_stale(_seen(mine), event)
        or document["lines"] != rules.fingerprints
        or any(one["is_open"] for one in other.get("pending", ()))
    ):
        return None
    writes = mine.get("pending", ())
    for one in writes:
        if not _tells_its_place(one, event, rules):
            return None
    covering = [one for one in writes if guards.is_covered_by(one["after"], event.position)]
    image, value = rules.observed(side, event.row), values_in(mine["value"])
    edits = _edits(mine, value, image, covering)
    if edits is None:
        return None
    noted = _noted(mine, {**value, **edits} if edits else value, image, event)
    noted["pending"] = covering
    after = {**document, side: noted}
    if not edits:
        is_covered = any(not image.keys().isdisjoint(one["values"]) for one in covering)
        reason = Reason.ECHO if is_covered else Reason.UNCHANGED
        return PlainDecision(after, Outcome.SKIPPED, reason)
    return _carried(after, side, noted, edits, event.committed_at, rules)


def asked(decision: PlainDecision, write: Write, now: datetime) -> Document:
    """The link while its write may be under way."""
    document, side = decision.document, write.side
    other = document[side]
    pending = pending_out(Pending(write.number, write.values, write.expected, now))
    return {**document, side: {**other, "pending": [*other.get("pending", ()), pending]}}


def carried_out(decision: PlainDecision, write: Write, outcome: Applied) -> Document | None:
    """The link once its write was carried out; None if it was not in all its lines."""
    held = outcome.held
    if held.keys() != write.values.keys():
        return None
    document, side = decision.document, write.side
    asking, other = document[side.other], document[side]
    value = values_in(other["value"])
    closed = Pending(write.number, held, write.expected, outcome.at, False, outcome.after)  # noqa: FBT003
    settled = {
        **other,
        "value": values_out({**value, **held}),
        "pending": [*other.get("pending", ()), pending_out(closed)],
        **_unobserved(other, value, held),
    }
    return {**document, side.other: {**asking, "dirty": ()}, side: settled}


def _is_calm(document: Document, mine: Document, other: Document) -> bool:
    """Is this a pair that is exchanged, of which nothing waits on either side."""
    get = document.get
    return (
        document["state"] == State.LINKED.value
        and not (get("parked") or get("off") or get("out") or get("obstacle"))
        and not (mine.get("dirty") or mine.get("wanted"))
        and not (other.get("dirty") or other.get("wanted"))
        and other["key"] is not None
    )


def _seen(link_side: Document) -> Seen:
    position, incarnation, partition, offset, epoch = link_side["seen"]
    return Seen(position, TopicOffset(incarnation, partition, offset), epoch)


def _tells_its_place(write: Document, event: Event, rules: Rules) -> bool:
    """Is it known whether this write is newer than the event: by its place in the log, of no older
    epoch, or because it was made so long before that none is asked for. A look has no place.
    """
    after = write["after"]
    if write["is_open"]:
        return False
    if after is None or after[:EPOCH_WIDTH] < event.position[:EPOCH_WIDTH]:
        return event.committed_at > datetime.fromisoformat(write["at"]) + rules.look_window
    return bool(write["number"])


def _edits(
    mine: Document, value: dict[str, Value], image: Values, covering: Sequence[Document]
) -> dict[str, Value] | None:
    """The lines that a person edited; None where a line is new, or a write of ours may have
    covered an edit.
    """
    observed = observed_in(value, mine.get("observed"), mine.get("unobserved"))
    if image.keys() - value.keys():
        return None
    edits: dict[str, Value] = {}
    for name, shown in image.items():
        held = value[name]
        covers = [one for one in covering if name in one["values"]] if covering else covering
        if not covers:
            if shown != held or shown != observed.get(name, shown):
                edits[name] = shown
        elif shown != observed.get(name):
            write = next((one for one in covers if name in one["expected"]), None)
            if shown == (held if write is None else value_in(write["expected"][name])):
                return None
    return edits


def _noted(mine: Document, value: Values, image: Values, event: Event) -> Document:
    """The side after the event was read: what it holds, and what its log showed last."""
    place, epoch = event.place, max(mine["seen"][-1], event.epoch)
    noted = {
        **mine,
        "seen": [event.position, *place, epoch],
        "seen_at": event.committed_at,
        "value": values_out(value),
    }
    differing = {
        name: value_out(shown)
        for name, shown in image.items()
        if shown is not value[name] and not is_same(shown, value[name])
    }
    if differing or mine.get("observed") or mine.get("unobserved"):
        before = mine.get("observed") or {}
        kept = {name: one for name, one in before.items() if name not in image}
        noted["observed"] = kept | differing
        noted["unobserved"] = [one for one in mine.get("unobserved", ()) if one not in image]
    return noted


def _unobserved(other: Document, value: Values, held: Values) -> Document:
    """What a side's log showed last, once it holds what we wrote."""
    differing, unobserved = dict(other.get("observed") or {}), other.get("unobserved") or ()
    for name, now in held.items():
        if name in unobserved:
            continue
        shown = value_in(differing.pop(name)) if name in differing else value[name]
        if not is_same(shown, now):
            differing[name] = value_out(shown)
    return {"observed": differing, "unobserved": unobserved}


def _carried(
    document: Document,
    side: Side,
    noted: Document,
    edits: Mapping[str, Value],
    at: datetime,
    rules: Rules,
) -> PlainDecision | None:
    """Edits that go to the other side; None if one of them is decided in another way."""
    to = side.other
    other = document[to]
    held, values = values_in(other["value"]), dict[str, Value]()
    for name, value in edits.items():
        pair = rules.by_name[name]
        if not pair.reacts_to_edits_on(side):
            continue
        if not _goes_over(document, pair, to, value, held):
            return None
        values[name] = pair.convert(value, to=to)
    noted["edited_at"] = {**noted.get("edited_at", {}), **dict.fromkeys(edits, at)}
    if not values:
        return PlainDecision(document, Outcome.SKIPPED, Reason.EDITED)
    noted["dirty"] = sorted(values)
    document["number"] += 1
    expected = {name: held[name] for name in values}
    write = Write(document["id"], to, document["number"], other["key"], values, expected)
    return PlainDecision(document, Outcome.WRITTEN, Reason.EDITED, write)


def _goes_over(document: Document, pair: ColumnPair, to: Side, value: Value, held: Values) -> bool:
    """Does an edit that nobody contends go to the other side, which holds something else."""
    name = pair.name
    if (
        name not in held
        or name in document.get("coincident", ())
        or pair.only_fills
        or pair.owning_side is to
        or not pair.can_translate(value, to)
    ):
        return False
    ajera, dps = (value, held[name]) if to is Side.DPS else (held[name], value)
    return not pair.agrees(ajera, dps)
