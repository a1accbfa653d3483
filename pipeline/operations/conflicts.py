"""The conflict log of the exchange, and what a person decides: resolve what is parked,
reverse what was decided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from pipeline.config.settings import Settings
from pipeline.conflicts import manual as deciding
from pipeline.conflicts.conflict import Conflict, Kind
from pipeline.conflicts.decision import Decision
from pipeline.conflicts.link import Link
from pipeline.conflicts.manual import EnteredValue
from pipeline.conflicts.rules import Rules, Side
from pipeline.database.pairs import DatabaseLinkTransaction
from pipeline.database.rehearsal import ColumnChange, rehearsed
from pipeline.engine.exchange.ports import Pairs
from pipeline.engine.exchange.unit_of_work import ExchangeConfig, WorkItem
from pipeline.errors import ParkReason, UsageError
from pipeline.mapping.source import ColumnType
from pipeline.model.event import Value
from pipeline.operations.link import patiently
from pipeline.pairing.entity import ParkedWork
from pipeline.telemetry.health import Health
from pipeline.telemetry.prometheus import PrometheusTelemetry
from pipeline.wiring.clients import SystemClock
from pipeline.wiring.exchange import pairs_of, reconciler, setup_of

# Why a line waits for a person, by the kind of conflict that the link remembers.
UNDECIDED: Mapping[str, ParkReason] = {
    Kind.FIRST_LINK: ParkReason.FIRST_LINK,
    Kind.UPDATE_ORIGIN_DIFFERS: ParkReason.BOTH_EDITED,
    Kind.FILLED_ALREADY: ParkReason.FILLED_ALREADY,
}


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
    """What a person must decide, what waits until somebody did something, and what was decided,
    newest first.
    """

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


def resolve(
    settings: Settings,
    link: str,
    line: str,
    choice: Side,
    typed: str | None,
    *,
    is_rehearsal: bool = False,
) -> tuple[ColumnChange, ...]:
    """Decide a parked line by a side, or by a value as that side would store it.
    It flows as any edit does. A rehearsal returns what would be written, and changes nothing.

    Raises UsageError when there is no such link, the line is not parked,
    or the value has no counterpart.
    """

    setup = setup_of(settings)
    value = (
        None
        if typed is None
        else EnteredValue(choice, _typed(setup, settings, link, line, choice, typed))
    )

    def decide(found: Link, rules: Rules, now: datetime) -> Decision:
        return deciding.resolve(found, line, choice if value is None else value, now, rules)

    about = () if value is None else ((line, value.side, value.value),)
    return _decide(settings, setup, link, decide, about, is_rehearsal=is_rehearsal)


def reverse(
    settings: Settings, number: int, *, is_rehearsal: bool = False
) -> tuple[ColumnChange, ...]:
    """Let the loser of a decided conflict win after all. A rehearsal as of `resolve`.

    Raises UsageError for an entry that decided nothing,
    or whose loser's value has no counterpart on the other side.
    """
    with pairs_of(settings) as pairs, pairs.transaction() as links:
        found = links.logged(limit=1, number=number)
    if not found:
        raise UsageError(f"the conflict log has no entry {number}")
    conflict = found[0][1]
    about = tuple((conflict.column or "", side, conflict.value(side)) for side in Side)

    def decide(link: Link, rules: Rules, now: datetime) -> Decision:
        return deciding.reverse(link, conflict, now, rules)

    setup = setup_of(settings)
    return _decide(settings, setup, conflict.link, decide, about, is_rehearsal=is_rehearsal)


def _decide(
    settings: Settings,
    setup: ExchangeConfig,
    link: str,
    decide: Callable[[Link, Rules, datetime], Decision],
    about: tuple[tuple[str, Side, Value], ...],
    *,
    is_rehearsal: bool,
) -> tuple[ColumnChange, ...]:
    with pairs_of(settings) as real, ExitStack() as resources:
        known = link_of(setup, real, link)
        rehearsal = resources.enter_context(rehearsed(real)) if is_rehearsal else None
        table, key = known.ajera.table, known.ajera.key or ""
        item = WorkItem(
            Side.AJERA,
            table,
            key,
            entity=known.entity,
            link=link,
            decide=decide,
            about=about,
        )
        telemetry = PrometheusTelemetry(Health())
        for _ in reconciler(setup, rehearsal or real, telemetry).run([item], patiently):
            pass
        return () if rehearsal is None else rehearsal.changes()


def link_of(setup: ExchangeConfig, pairs: Pairs, link: str) -> Link:
    """The link about which something can be decided. Raises UsageError where there is none, and for
    one whose kind is not exchanged.
    """
    with pairs.transaction() as links:
        known = links.links([link]).get(link)
    if known is None:
        raise UsageError(f"there is no link {link}")
    if known.entity not in setup.names:
        raise UsageError(
            f"link {link} is of {known.entity}, which is not exchanged with Ajera of the version"
            " that sources.ajera.version states: the link stays as it is"
        )
    return known


def _typed(
    setup: ExchangeConfig,
    settings: Settings,
    link: str,
    line: str,
    side: Side,
    text: str,
) -> Value:
    """What a person typed for a line of that side, in the form of its column."""
    with pairs_of(settings) as pairs:
        known = link_of(setup, pairs, link)
    entity_side, pair = (
        setup.entity(known.entity).side(side),
        setup.entity(known.entity).rules.by_name.get(line),
    )
    kinds = {column.name: column.kind for column in entity_side.table.columns}
    kind = None if pair is None else kinds.get(pair.field(side).columns[0])
    return _as(text, known.side(side).value.get(line), kind)


def _as(text: str, like: Value, kind: ColumnType | None) -> Value:
    """The form of the column, or of what the side holds.
    Raises UsageError for text that has not that form.
    """
    try:
        match like:
            case _ if text == "":
                return None
            case Decimal():
                return Decimal(text)
            case bool():
                return text.lower() in ("y", "yes", "true", "1")
            case int():
                return int(text)
            case _:
                return int(text) if kind is ColumnType.INTEGER else text
    except (ValueError, InvalidOperation):
        raise UsageError("the value must be a number, as the column holds one") from None


def _parked(link: Link) -> list[ParkedLine]:
    return [
        ParkedLine(
            *(link.id, link.entity, line, link.ajera.key, link.dps.key),
            *(
                parked.ajera,
                parked.dps,
                parked.since,
                UNDECIDED.get(parked.reason, parked.reason),
            ),
        )
        for line, parked in sorted(link.parked.items())
    ]


def _entries(
    links: DatabaseLinkTransaction, logged: list[tuple[int, Conflict]]
) -> tuple[Entry, ...]:
    known = links.links({conflict.link for _, conflict in logged})

    def key(conflict: Conflict, side: Side) -> str | None:
        return known[conflict.link].side(side).key if conflict.link in known else None

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
