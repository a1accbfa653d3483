"""The six properties of the two-way sync,
judged by what people typed and what the databases' logs show.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.conflicts.conflict import Kind
from pipeline.conflicts.link import Link, State
from pipeline.conflicts.rules import ColumnPair, Rule, Side
from pipeline.model.event import Value
from tests.properties.conflicts.lines import NAMES, RULES
from tests.properties.conflicts.world import START_LINES, Typing, World


def run(
    seed: str, only: str | None = None, *, sets_clocks: bool = False
) -> tuple[World, list[str]]:
    """One run, and its faults; none if all is well.
    Each begins with the name of the property that broke.
    """
    world = World(seed, only, sets_clocks=sets_clocks)
    world.live()
    if not world.calm_down():
        return world, ["no ping-pong: never quiet"]
    return world, [*faults(world), *replayed(world)]


def faults(world: World) -> Iterator[str]:
    """Everything but idempotence, once the world is quiet."""
    for link in world.consumer.links.values():
        if link.state is State.LINKED and _rows_exist(world, link):
            for pair in RULES.pairs:
                yield from _converged(world, link, pair)
                yield from _nothing_lost(world, link, pair)
                yield from _parked_rightly(world, link, pair)
                yield from _logged(world, link, pair)
                yield from _no_text_lost(world, link, pair)
    yield from _pairs(world)
    yield from _few_writes(world)


def _rows_exist(world: World, link: Link) -> bool:
    return all(link.side(side).key in world.databases[side].rows for side in Side)


def _held(world: World, link: Link, side: Side, name: str) -> Value:
    key = link.side(side).key
    assert key is not None
    return world.databases[side].held(key)[name]


def _typed(
    world: World,
    link: Link,
    side: Side,
    name: str,
    *,
    by_operator: bool = False,
) -> list[Typing]:
    here = [
        t
        for t in world.people
        if t.side is side and t.key == link.side(side).key and t.name == name
    ]
    return [t for t in here if t.by_operator is by_operator]


# -- 1, 5: convergence, and no representation that comes back as an edit ---------------------------
def _converged(world: World, link: Link, pair: ColumnPair) -> Iterator[str]:
    ajera, dps = (_held(world, link, side, pair.name) for side in Side)
    if pair.name == "p":
        yield from _one_way(world, link, pair, ajera, dps)
    elif pair.rule is Rule.CREATE_ONLY:
        yield from _only_at_creation(world, link, pair)
    elif pair.name not in link.parked and not pair.agrees(ajera, dps):
        yield f"convergence: {pair.name} is {ajera!r} in Ajera and {dps!r} in DPS"


def _one_way(world: World, link: Link, pair: ColumnPair, ajera: Value, dps: Value) -> Iterator[str]:
    typed = _typed(world, link, Side.DPS, pair.name)
    if typed and dps != typed[-1].value:
        yield (
            f"convergence: {pair.name} in DPS is {dps!r}, typed {typed[-1].value!r}, and nothing "
            "flows there"
        )
    begun_in_ajera = world.beginning == "ajera"
    if (
        not begun_in_ajera
        and not _typed(world, link, Side.AJERA, pair.name)
        and ajera != pair.to_ajera(dps)
    ):
        yield f"convergence: {pair.name} is {ajera!r} in Ajera and {dps!r} in DPS"


def _only_at_creation(world: World, link: Link, pair: ColumnPair) -> Iterator[str]:
    for side in Side:
        typed = _typed(world, link, side, pair.name)
        if typed and _held(world, link, side, pair.name) != typed[-1].value:
            yield f"convergence: {pair.name} on {side} was written after the row was created"


# -- 2: no edit lost -------------------------------------------------------------------------------
def _nothing_lost(world: World, link: Link, pair: ColumnPair) -> Iterator[str]:
    if pair.name == "p" or pair.rule is Rule.CREATE_ONLY or pair.name in link.parked:
        return
    last = {side: typed[-1] for side in Side if (typed := _typed(world, link, side, pair.name))}
    if not last:
        return
    held = {side: _held(world, link, side, pair.name) for side in Side}
    if pair.owning_side is not None and pair.owning_side not in last:
        yield from _left_to_its_owner(world, pair, held)
        return
    allowed = _survivors(world, link, pair, last)
    if not any(_stems_from(pair, typing, held) for typing in allowed):
        yield (
            f"lost edit: {pair.name} holds {held[Side.AJERA]!r}/{held[Side.DPS]!r}, may be "
            f"{[(t.side, t.value) for t in allowed]}"
        )


def _left_to_its_owner(world: World, pair: ColumnPair, held: dict[Side, Value]) -> Iterator[str]:
    """The owner typed nothing: the line holds what it began with,
    whatever was typed on the other side.
    """
    if world.beginning == "linked" and not pair.agrees(held[Side.AJERA], START_LINES[pair.name]):
        yield (
            f"lost edit: {pair.name} holds {held[Side.AJERA]!r}/{held[Side.DPS]!r}, but its owner "
            "typed nothing"
        )


def _survivors(
    world: World, link: Link, pair: ColumnPair, last: dict[Side, Typing]
) -> list[Typing]:
    """The last edits that the rule lets stand."""
    owner = pair.owning_side
    if owner is not None:
        return [last[owner]]
    decided = [t for side in Side for t in _typed(world, link, side, pair.name, by_operator=True)]
    both = [*last.values(), *decided]
    position_unknown = (
        bool(decided)
        or any(t.is_lost or _came_back(world, pair, t) for t in both)
        or link.id in world.consumer.first_linked
    )
    if pair.rule is Rule.MANUAL:
        return (
            both
            if position_unknown or not world.is_unique
            else [t for t in both if _knew(world, link, pair, t, last)]
        )
    if (
        len(both) < 2 or position_unknown or world.clocks is not None
    ):  # which was later is anybody's guess
        return both
    first, second = sorted(both, key=lambda typing: typing.at)
    return both if second.at - first.at <= RULES.clock_tolerance else [second]


def _came_back(world: World, pair: ColumnPair, typing: Typing) -> bool:
    """Was the value there before an edit that a gap has hidden. Commits from before the gap are
    streamed once more then, and one that shows it may be taken for this typing, and date it.
    """
    log = world.databases[typing.side].log[: typing.commit - 1]
    images = [commit.image for commit in log if commit.key == typing.key and commit.image]
    shown = [RULES.observed(typing.side, image)[pair.name] for image in images]
    hidden = [t for t in world.people if t.is_lost and t.commit < typing.commit]
    return typing.value in shown and any(
        (t.side, t.key, t.name) == (typing.side, typing.key, typing.name) for t in hidden
    )


def _knew(
    world: World,
    link: Link,
    pair: ColumnPair,
    typing: Typing,
    last: dict[Side, Typing],
) -> bool:
    """Was it typed over what the other side typed last, after that was written here.
    Values are unique in such a run.
    """
    other = last.get(typing.side.other)
    if other is None:
        return True
    came_over = pair.convert(other.value, to=typing.side)
    images = (
        RULES.observed(typing.side, commit.image)[pair.name]
        for commit in world.databases[typing.side].log[: typing.commit - 1]
        if commit.key == typing.key and commit.image
    )
    return came_over in images


def _stems_from(pair: ColumnPair, typing: Typing, held: dict[Side, Value]) -> bool:
    """Does the typing side hold exactly what was typed,
    and the other side how it represents that.
    """
    if pair.agrees(held[Side.AJERA], held[Side.DPS]):
        here, there = held[typing.side], held[typing.side.other]
        return here == typing.value or there == pair.convert(typing.value, to=typing.side.other)
    return False


# -- 6: parked is what a person must decide --------------------------------------------------------
def _parked_rightly(world: World, link: Link, pair: ColumnPair) -> Iterator[str]:
    if pair.name not in link.parked:
        return
    is_first = link.parked[pair.name].reason == Kind.FIRST_LINK
    if is_first and link.id in world.consumer.first_linked:
        return
    if pair.rule is not Rule.MANUAL:
        yield f"parked: {pair.name} has the rule {pair.rule}"
    for side in Side:
        if not _typed(world, link, side, pair.name) and link.id not in world.consumer.first_linked:
            yield f"parked: {pair.name} though nobody edited it on {side}"


# -- whatever did not survive is in the log --------------------------------------------------------
def _logged(world: World, link: Link, pair: ColumnPair) -> Iterator[str]:
    """Where both sides were edited, unaware of each other, and one edit stands,
    the other one is in the conflict log.
    """
    decided = [t for side in Side for t in _typed(world, link, side, pair.name, by_operator=True)]
    last = {side: typed[-1] for side in Side if (typed := _typed(world, link, side, pair.name))}
    is_plain = (
        world.is_unique and pair.name != "p" and pair.rule is not Rule.CREATE_ONLY and not decided
    )
    if (
        not is_plain
        or len(last) < 2
        or pair.name in link.parked
        or any(t.is_lost for t in last.values())
    ):
        return
    held = {side: _held(world, link, side, pair.name) for side in Side}
    if all(_stems_from(pair, typing, held) for typing in last.values()):
        return
    for typing in last.values():
        loser = last[typing.side.other]
        if _stems_from(pair, typing, held) and not _knew(world, link, pair, typing, last):
            entries = (c for c in world.consumer.logged if c.column == pair.name)
            if not any(entry.value(loser.side) == loser.value for entry in entries):
                yield f"log: {pair.name} lost {loser.value!r} of {loser.side} without an entry"


# -- MANUAL: nobody decides for people, whatever they type -----------------------------------------
def _no_text_lost(world: World, link: Link, pair: ColumnPair) -> Iterator[str]:
    """What was typed last on a side is there, parked, in the log,
    or was seen by who typed over it on the other side.
    """
    if pair.rule is not Rule.MANUAL or link.id in world.consumer.first_linked:
        return
    if world.clocks is not None:  # who had seen what is told by the clocks of both sides
        return
    if any(_typed(world, link, side, pair.name, by_operator=True) for side in Side):
        return
    last = {side: typed[-1] for side in Side if (typed := _typed(world, link, side, pair.name))}
    if len(last) < 2 or any(t.is_lost for t in world.people if t.name == pair.name):
        return
    held = {side: _held(world, link, side, pair.name) for side in Side}
    entries = [
        entry
        for entry in world.consumer.logged
        if entry.column == pair.name and entry.link == link.id
    ]
    for side, typing in last.items():
        is_parked = pair.name in link.parked and typing.value in (
            link.parked[pair.name].ajera,
            link.parked[pair.name].dps,
        )
        is_logged = any(entry.value(side) == typing.value for entry in entries)
        if (
            is_parked
            or is_logged
            or _stems_from(pair, typing, held)
            or _seen_by(world, link, pair, typing, last)
        ):
            continue
        yield (
            f"lost text: {typing.value!r} of {side} is neither there nor parked nor logged: {held}"
        )


def _seen_by(
    world: World,
    link: Link,
    pair: ColumnPair,
    typing: Typing,
    last: dict[Side, Typing],
) -> bool:
    """Did the other side's row hold it, at or after that time, before somebody typed there last."""
    other = last[typing.side.other]
    came_over = pair.convert(typing.value, to=other.side)
    log = [
        c
        for c in world.databases[other.side].log[: other.commit - 1]
        if c.key == other.key and c.image
    ]
    since = [
        place for place, commit in enumerate(log) if commit.at >= typing.at - RULES.clock_tolerance
    ]
    first = since[0] - 1 if since else len(log) - 1
    return any(
        RULES.observed(other.side, commit.image)[pair.name] == came_over
        for commit in log[max(first, 0) :]
    )


# -- linking, creating, ending ---------------------------------------------------------------------
def _pairs(world: World) -> Iterator[str]:
    for side in Side:
        keys = [link.side(side).key for link in world.consumer.links.values()]
        for key in world.databases[side].rows:
            if keys.count(key) != 1:
                yield f"linking: row {key} of {side} is in {keys.count(key)} links"
    by_people = sum(1 for side in Side if (side, "1") in {(t.side, t.key) for t in world.people})
    if len(world.consumer.created) > (0 if world.beginning == "linked" else by_people):
        yield f"linking: {len(world.consumer.created)} rows created for {by_people} of people"


# -- 3: at most one write for an edit --------------------------------------------------------------
def _few_writes(world: World) -> Iterator[str]:
    edits = len(world.people) + sum(1 for t in world.people if t.by_operator)
    edits += len(NAMES) * len(world.consumer.first_linked)
    if world.consumer.lines_written > edits:
        yield f"no ping-pong: {world.consumer.lines_written} lines written for {edits} edited"


# -- 4: idempotence --------------------------------------------------------------------------------
def replayed(world: World) -> Iterator[str]:
    """Replay everything, then a part: nothing is written, logged, linked or changed."""
    consumer = world.consumer
    before = _trace(world)
    for part in (0.0, world.rng.random()):
        for database in world.databases.values():
            database.next_offset = int(part * len(database.topic))
        if not world.calm_down():
            yield "idempotence: a replay never ends"
        if _trace(world) != before:
            yield f"idempotence: a replay changed something, {consumer.lines_written} lines written"
            return


def _trace(world: World) -> tuple[object, ...]:
    consumer = world.consumer
    logs = tuple(len(database.log) for database in world.databases.values())
    return (
        logs,
        dict(consumer.links),
        len(consumer.logged),
        consumer.lines_written,
    )
