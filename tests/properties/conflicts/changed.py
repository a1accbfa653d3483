"""What must hold in a world whose lines change: judged, again, by what people typed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pipeline.conflicts.conflict import Kind
from pipeline.conflicts.link import Link, State
from pipeline.conflicts.rules import ColumnPair, Direction, Rule, Side
from pipeline.model.event import Value
from tests.properties.conflicts.changing import (
    CATALOG,
    VARIANTS,
    ChangingWorld,
    base_of,
)
from tests.properties.conflicts.oracle import replayed
from tests.properties.conflicts.world import Typing

MARGIN = timedelta(seconds=3)  # by which the clocks of databases and process may differ


def run(seed: str) -> tuple[ChangingWorld, list[str]]:
    """One run, and its faults, each beginning with the name of the property that broke."""
    world = ChangingWorld(seed)
    world.live()
    if not world.calm_down():
        return world, ["no ping-pong: never quiet"]
    return world, [*faults(world), *replayed(world)]


def faults(world: ChangingWorld) -> Iterator[str]:
    """Everything but idempotence."""
    for link in world.consumer.links.values():
        if link.state is State.LINKED and _rows_exist(world, link):
            if link.lines != world.consumer.rules.fingerprints:
                yield "convergence: a linked pair does not know all lines"
            for pair in world.consumer.rules.pairs:
                yield from _converged(world, link, pair)
                yield from _nothing_lost(world, link, pair)
                yield from _newest(world, link, pair)
                yield from _parked_rightly(world, link, pair)
    yield from _blanked(world)
    yield from (f"unfounded write: {one}" for one in world.consumer.unfounded)
    edits = len(world.people) + sum(t.by_operator for t in world.people)  # which write both sides
    if world.consumer.lines_written > edits + world.consumer.asked_by_looks:
        yield f"no ping-pong: {world.consumer.lines_written} lines written"


def _rows_exist(world: ChangingWorld, link: Link) -> bool:
    return all(link.side(side).key in world.databases[side].rows for side in Side)


def _held(world: ChangingWorld, link: Link, pair: ColumnPair) -> dict[Side, Value]:
    return {
        side: pair.field(side).read(world.databases[side].rows[link.side(side).key or ""])
        for side in Side
    }


def _last(world: ChangingWorld, link: Link, base: str) -> dict[Side, Typing]:
    found: dict[Side, Typing] = {}
    for typing in world.people:
        is_here = typing.name == base and link.side(typing.side).key == typing.key
        if is_here and not typing.by_operator:
            found[typing.side] = typing
    return found


# -- both sides agree, or a person decides ---------------------------------------------------------
def _converged(world: ChangingWorld, link: Link, pair: ColumnPair) -> Iterator[str]:
    held = _held(world, link, pair)
    if pair.rule is Rule.CREATE_ONLY or pair.name in link.parked:
        return
    if pair.agrees(held[Side.AJERA], held[Side.DPS]):
        return
    if pair.sender is not None:
        receiver = pair.sender.other
        last = _last(world, link, base_of(pair))
        is_kept = pair.is_blank(pair.sender, held[pair.sender]) and (
            pair.name in link.kept or pair.sender not in last
        )
        is_typed = pair.rule is Rule.NEWEST and receiver in last
        if is_kept or is_typed:
            return
    yield f"convergence: {pair.name} is {held[Side.AJERA]!r} in Ajera and {held[Side.DPS]!r} in DPS"


# -- no edit is lost -------------------------------------------------------------------------------
def _nothing_lost(world: ChangingWorld, link: Link, pair: ColumnPair) -> Iterator[str]:
    """What was typed last on a side is there, parked, in the log, was seen on the other side by who
    typed over it, or an operator decided over it.
    """
    base, held = base_of(pair), _held(world, link, pair)
    last = _last(world, link, base)
    for side, typing in last.items():
        if held[side] == typing.value or base in world.was_one_way or not world.is_unique:
            continue
        decided = (t.by_operator and t.name == base and t.at >= typing.at for t in world.people)
        if typing.is_lost or any(decided):  # in a gap of the capture
            continue
        entries = [c for c in world.consumer.logged if c.column == pair.name]
        parked = link.parked.get(pair.name)
        is_told = any(c.value(side) == typing.value for c in entries) or (
            parked is not None and typing.value in (parked.ajera, parked.dps)
        )
        if not is_told and not _seen(world, link, pair, typing, last.get(side.other)):
            yield f"lost edit: {pair.name}: {typing.value!r} of {side} is gone: {held}"


def _seen(
    world: ChangingWorld, link: Link, pair: ColumnPair, typing: Typing, other: Typing | None
) -> bool:
    """Did the other side's row hold it, in a form of any release, before somebody typed there."""
    if other is None:
        return False
    forms = {variant.convert(typing.value, to=other.side) for variant in VARIANTS[pair.name]}
    images = (
        CATALOG.observed(other.side, commit.image)[typing.name]
        for commit in world.databases[other.side].log[: other.commit - 1]
        if commit.key == other.key and commit.image
    )
    return any(image in forms for image in images)


# -- once a line is known, the newer edit stands ---------------------------------------------------
def _newest(world: ChangingWorld, link: Link, pair: ColumnPair) -> Iterator[str]:
    if pair.rule is not Rule.NEWEST or pair.direction is not Direction.BOTH:
        return
    known_at = world.consumer.changed_at.get((link.id, pair.name))
    last = sorted(_last(world, link, base_of(pair)).values(), key=lambda typing: typing.at)
    is_decided = any(t.by_operator and t.name == base_of(pair) for t in world.people)
    if not last or link.id in world.consumer.first_linked or is_decided:
        return
    if any(typing.is_lost for typing in last):
        return
    newest = last[-1]
    if known_at is not None and newest.at <= known_at + MARGIN:
        return
    if len(last) > 1 and newest.at - last[0].at <= CATALOG.clock_tolerance:
        return
    held = _held(world, link, pair)
    if pair.name in link.parked or held[newest.side] != newest.value:
        yield (
            f"newest: {pair.name} holds {held}, {newest.value!r} was typed last on {newest.side},"
            f" parked: {pair.name in link.parked}"
        )


# -- parked is what a person must decide -----------------------------------------------------------
def _parked_rightly(world: ChangingWorld, link: Link, pair: ColumnPair) -> Iterator[str]:
    parked, held = link.parked.get(pair.name), _held(world, link, pair)
    if parked is None:
        return
    is_covered = any(pair.name in link.side(side).wanted for side in Side)
    if pair.agrees(held[Side.AJERA], held[Side.DPS]) and not is_covered:
        yield f"parked: {pair.name} though both sides agree"
    if pair.rule is Rule.MANUAL:
        return
    was_looked_at = (link.id, pair.name) in world.consumer.changed_at
    if parked.reason != Kind.FIRST_LINK or not (
        was_looked_at or link.id in world.consumer.first_linked
    ):
        yield f"parked: {pair.name} has the rule {pair.rule}, for {parked.reason}"


# -- nothing is blanked ----------------------------------------------------------------------------
def _blanked(world: ChangingWorld) -> Iterator[str]:
    """A blank is only written where somebody typed it, or over what somebody
    typed though the other side owns the line.
    """
    put_back = {
        (c.column, side, c.value(side))
        for c in world.consumer.logged
        if c.kind is Kind.OWNED_PUT_BACK or (c.rule is not None and c.rule.value == c.winner)
        for side in Side
    }
    for side, database in world.databases.items():
        cleared = {typing.name for typing in world.people if typing.value is None}
        rows: dict[str, dict[str, Value]] = {}
        for commit in database.log:
            image = CATALOG.observed(side, commit.image)
            before = rows.get(commit.key, {})
            if not commit.by_person:
                for name, value in image.items():
                    was = before.get(name)
                    line = "x" if name == "x2" else name
                    if value is not None or was is None or name in cleared:
                        continue
                    if (line, side, was) not in put_back:
                        yield f"blanked: {name} on {side} held {was!r}"
            rows[commit.key] = image
