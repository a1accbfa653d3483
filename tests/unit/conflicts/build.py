"""A linked pair of firms, its lines, and events of it, with only what a test cares about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pipeline.conflicts.begin import Found, first_link
from pipeline.conflicts.decision import Applied, Decision, Write
from pipeline.conflicts.first import FirstLinkPolicy
from pipeline.conflicts.forms import cut, trimmed
from pipeline.conflicts.link import Link, LinkSide, Seen, State
from pipeline.conflicts.rules import (
    ColumnPair,
    Direction,
    Rule,
    Rules,
    Side,
    column,
)
from pipeline.conflicts.settle import settle
from pipeline.model.event import Event, Operation, Value
from pipeline.model.position import (
    EPOCH_WIDTH,
    LSN_WIDTH,
    TopicOffset,
    postgres_position,
)

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
AJERA, DPS = Side.AJERA, Side.DPS
TABLES = {AJERA: "AxVec", DPS: "Clendor"}
RULES = Rules(
    (
        ColumnPair(
            "name",
            column("vecDescription", trimmed),
            column("Name", trimmed),
            Rule.NEWEST,
            to_dps=cut(10),
        ),
        ColumnPair("phone", column("vecPhone1"), column("Phone"), Rule.AJERA),
        ColumnPair("market", column("vecClientType"), column("Market"), Rule.DPS),
        ColumnPair("notes", column("vecNotes"), column("Memo"), Rule.MANUAL),
        ColumnPair("number", column("vecID"), column("Client"), Rule.CREATE_ONLY),
        ColumnPair(
            "chance",
            column("vecChance"),
            column("Probability"),
            Rule.NEWEST,
            Direction.TO_AJERA,
        ),
        ColumnPair(
            "total",
            column("vecTotal"),
            column("Total"),
            Rule.AJERA,
            Direction.TO_DPS,
        ),
    )
)


def seconds(count: float) -> datetime:
    return NOON + timedelta(seconds=count)


def linked(value: Value = "old") -> Link:
    """A linked pair that holds the same in each line of both sides, streamed from epoch 1,
    at position and offset 0.
    """
    values = dict.fromkeys(RULES.by_name, value)
    seen = Seen(position(0), TopicOffset(1, 0, 0), 1)
    ajera, dps = (LinkSide(TABLES[side], "7", seen, values, values) for side in Side)
    return Link("L1", "firm", ajera, dps, State.LINKED)


def position(number: int, epoch: int = 1) -> str:
    """The position of the number-th change of a row;
    somebody else committed between it and its own commit.
    """
    return postgres_position(epoch, f'["{10 * number + 7}","{10 * number}"]')


def after(number: int, epoch: int = 1) -> str:
    """What the number-th commit reads as its log position, inside its transaction."""
    return f"{epoch:0{EPOCH_WIDTH}x}{10 * number + 2:0{LSN_WIDTH}x}"


def event(
    link: Link,
    side: Side,
    at: int,
    operation: str = "u",
    *,
    offset: int | None = None,
    epoch: int = 1,
    lines: Mapping[str, Value] | None = None,
    **more: Value,
) -> Event:
    """The `at`-th commit of a side, `at` seconds after noon: the values that the link believes,
    but for `lines` and `more`.
    """
    row = RULES.written(side, {**link.side(side).value, **(lines or {}), **more})
    kind = Operation(operation)
    return Event(
        table=TABLES[side],
        key="7",
        operation=kind,
        row={} if kind is Operation.DELETE else row,
        position="" if kind is Operation.READ else position(at, epoch),
        place=TopicOffset(1, 0, at if offset is None else offset),
        committed_at=seconds(at),
        epoch=epoch,
    )


def write_to(decision: Decision, side: Side) -> Write:
    """The one write to that side."""
    found = [write for write in decision.writes if write.side is side]
    assert len(found) == 1
    return found[0]


def carried_out(
    decision: Decision,
    at: int,
    *,
    skipped: tuple[str, ...] = (),
    can_translate: bool = True,
) -> Link:
    """The link after all its writes were applied as the `at`-th commit of their side,
    less the lines that were skipped.
    """
    link = decision.link
    for write in decision.writes:
        held = {name: value for name, value in write.values.items() if name not in skipped}
        outcome = Applied(
            write.number,
            held,
            after(at) if can_translate else None,
            seconds(at),
            write.key,
        )
        link = settle(link, write.side, outcome, RULES).link
    return link


def found(side: Side, modified_at: datetime | None = None, **lines: Value) -> Found:
    row = RULES.written(side, {**dict.fromkeys(RULES.by_name, "same"), **lines})
    return Found(TABLES[side], "7", row, seconds(100), Seen(epoch=1), modified_at)


def link_rows(
    ajera: Value,
    dps: Value,
    name: str,
    times: tuple[datetime | None, datetime | None] = (None, None),
    *,
    prefers: Side | None = None,
    rules: Rules = RULES,
) -> Decision:
    rows = (
        found(AJERA, times[0], **{name: ajera}),
        found(DPS, times[1], **{name: dps}),
    )
    return first_link(
        "L1",
        "firm",
        *rows,
        FirstLinkPolicy(prefers=prefers),
        seconds(100),
        rules,
    )
