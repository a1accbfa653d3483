"""The conflict log of the exchange, and what a person decides: resolve what is parked, reverse what was decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from pipeline.config.settings import Settings
from pipeline.conflicts import resolve as deciding
from pipeline.conflicts.conflict import Conflict
from pipeline.conflicts.decision import Decision
from pipeline.conflicts.link import Link
from pipeline.conflicts.resolve import Typed
from pipeline.conflicts.rules import Rules, Side
from pipeline.database.pairs import DatabaseLinkTransaction
from pipeline.domain.pairing import ParkedWork
from pipeline.engine.exchange.rounds import Rounds
from pipeline.engine.exchange.work import Item
from pipeline.errors import UsageError
from pipeline.model.event import Value
from pipeline.operations.link import patiently
from pipeline.telemetry.health import Health
from pipeline.telemetry.metrics import PrometheusTelemetry
from pipeline.wiring.clients import SystemClock
from pipeline.wiring.exchange import pairs_of, setup_of


@dataclass(frozen=True, slots=True)
class ParkedLine:
    """A line of a linked pair that a person must decide, with what each side typed."""

    link: str
    entity: str
    line: str
    ajera_key: str | None
    dps_key: str | None
    ajera: Value
    dps: Value
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the conflict log. `ajera` and `dps` are both values as each side stores them."""

    number: int
    at: datetime
    entity: str
    line: str | None
    kind: str
    rule: str | None
    winner: str | None
    link: str
    ajera_key: str | None
    dps_key: str | None
    ajera: Value
    dps: Value
    ajera_at: datetime | None
    dps_at: datetime | None


@dataclass(frozen=True, slots=True)
class Conflicts:
    """What a person must decide, what waits until somebody did something, and what was decided, newest first."""

    parked: tuple[ParkedLine, ...]
    waiting: tuple[ParkedWork, ...]
    log: tuple[Entry, ...]


def conflicts(settings: Settings, limit: int) -> Conflicts:
    """Raises SyncSchemaOutdated, ConfigurationInvalid, TargetBusy."""
    with pairs_of(settings) as pairs, pairs.transaction() as links:
        parked = links.links(links.with_parked_lines(limit)).values()
        lines = tuple(line for link in parked for line in _parked(link))
        waiting = tuple(links.due(limit, SystemClock().now()))
        return Conflicts(lines, waiting, _entries(links, links.logged(limit=limit)))


def entry(settings: Settings, number: int) -> Entry:
    """One entry of the log. Raises UsageError when there is none of that number."""
    with pairs_of(settings) as pairs, pairs.transaction() as links:
        found = _entries(links, links.logged(limit=1, number=number))
    if not found:
        raise UsageError(f"the conflict log has no entry {number}")
    return found[0]


def resolve(settings: Settings, link: str, line: str, choice: Side, typed: str | None) -> None:
    """Decide a parked line by a side, or by a value as that side would store it. It flows as any edit does.

    Raises UsageError when there is no such link, or the line is not parked.
    """

    def decide(found: Link, rules: Rules, now: datetime) -> Decision:
        value = choice if typed is None else Typed(choice, _as(typed, found.half(choice).value.get(line)))
        return deciding.resolve(found, line, value, now, rules)

    _decide(settings, link, decide)


def reverse(settings: Settings, number: int) -> None:
    """Let the loser of a decided conflict win after all. Raises UsageError for an entry that decided nothing."""
    with pairs_of(settings) as pairs, pairs.transaction() as links:
        found = links.logged(limit=1, number=number)
    if not found:
        raise UsageError(f"the conflict log has no entry {number}")
    conflict = found[0][1]
    _decide(settings, conflict.link, lambda link, rules, now: deciding.reverse(link, conflict, now, rules))


def _decide(settings: Settings, link: str, decide: Callable[[Link, Rules, datetime], Decision]) -> None:
    setup = setup_of(settings)
    with pairs_of(settings) as pairs:
        with pairs.transaction() as links:
            known = links.links([link]).get(link)
        if known is None:
            raise UsageError(f"there is no link {link}")
        table, key = known.ajera.table, known.ajera.key or ""
        item = Item(Side.AJERA, table, key, entity=known.entity, link=link, decide=decide)
        telemetry = PrometheusTelemetry(Health())
        for _ in Rounds(setup=setup, pairs=pairs, telemetry=telemetry, clock=SystemClock()).run([item], patiently):
            pass


def _as(text: str, like: Value) -> Value:
    """What a person typed, in the form of what the side holds."""
    try:
        match like:
            case bool():
                return text.lower() in ("y", "yes", "true", "1")
            case int():
                return int(text)
            case Decimal():
                return Decimal(text)
            case _:
                return text or None
    except (ValueError, InvalidOperation):
        raise UsageError("the value must be a number, as the one that is there") from None


def _parked(link: Link) -> list[ParkedLine]:
    return [
        ParkedLine(
            *(link.id, link.entity, line, link.ajera.key, link.dps.key),
            *(parked.ajera, parked.dps, parked.since, parked.reason),
        )
        for line, parked in sorted(link.parked.items())
    ]


def _entries(links: DatabaseLinkTransaction, logged: list[tuple[int, Conflict]]) -> tuple[Entry, ...]:
    known = links.links({conflict.link for _, conflict in logged})

    def key(conflict: Conflict, side: Side) -> str | None:
        return known[conflict.link].half(side).key if conflict.link in known else None

    return tuple(
        Entry(
            number=number,
            at=one.at,
            entity=one.entity,
            line=one.column,
            kind=one.kind,
            rule=one.rule,
            winner=one.winner,
            link=one.link,
            ajera_key=key(one, Side.AJERA),
            dps_key=key(one, Side.DPS),
            ajera=one.ajera,
            dps=one.dps,
            ajera_at=one.ajera_at,
            dps_at=one.dps_at,
        )
        for number, one in logged
    )
