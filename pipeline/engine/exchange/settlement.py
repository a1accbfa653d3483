"""Settling what became of writes, and storing what a round has in hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from pipeline.conflicts import settle
from pipeline.conflicts.decision import Write, WriteOutcome
from pipeline.conflicts.link import Link, Obstacle, State
from pipeline.conflicts.plan import waiting
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.hanging import left_alone
from pipeline.engine.exchange.quota import counts_for
from pipeline.engine.exchange.translate import Translations
from pipeline.engine.exchange.unit_of_work import (
    ExchangeConfig,
    UnitOfWork,
    WorkItem,
    link_id,
    wait_key,
)
from pipeline.errors import ParkReason, PipelineError
from pipeline.pairing.entity import ParkedWork


def settle_open(hand: UnitOfWork, translations: Translations, ids: Collection[str]) -> None:
    """Settle what a process that died has left open in these links:
    found in Ajera's table or fenced there.

    A process that lives may still have such a write in hand. Whoever fences it must decide the link
    in this round: the write is asked for again only then.
    """
    numbers = {
        settle.intention_of(link, number): (link.id, side, number)
        for link in hand.links.values()
        if link.id in ids
        for side, number in settle.open_writes(link)
    }
    if not numbers:
        return
    fenced = hand.ajera.take(numbers)
    recorded = hand.ajera.recorded(numbers.keys() - fenced)
    for intention, (of, side, number) in sorted(numbers.items()):
        outcome = settle.recalled(number, recorded.get(intention))
        _settle(hand, translations, of, side, outcome)


def settle_all(
    hand: UnitOfWork,
    translations: Translations,
    side: Side,
    writes: Iterable[Write],
    outcomes: Mapping[str, WriteOutcome],
) -> None:
    """Fold outcomes into their links. A write without one could not be made: it is given up."""
    for write in writes:
        outcome = outcomes.get(write.intention)
        _settle(
            hand,
            translations,
            write.link,
            side,
            settle.recalled(write.number, None) if outcome is None else outcome,
        )


def give_up(
    hand: UnitOfWork,
    translations: Translations,
    write: Write,
    refusal: PipelineError,
) -> None:
    """A write that the database refuses: given up, its link parked with the reason."""
    _settle(
        hand,
        translations,
        write.link,
        write.side,
        settle.recalled(write.number, None),
    )
    link = hand.links[write.link]
    work = _blocked(link, write.side.other, refusal.code, str(refusal))
    hand.parked[work.id] = work


def _blocked(link: Link, side: Side, code: str, hint: str) -> ParkedWork:
    """A write that could not be made. If it was a creation,
    the work goes on as soon as that succeeds, by whatever event.

    It is unparked only then, with all that follows of it:
    nobody else would know of that after a crash.
    """
    key = link.half(side).key or ""
    return ParkedWork(
        link_id(link.id),
        link.entity,
        side,
        key,
        code,
        hint,
        link.id,
        wait_key(link.entity, side, key),
    )


def _settle(
    hand: UnitOfWork,
    translations: Translations,
    of: str,
    side: Side,
    outcome: WriteOutcome,
) -> None:
    link = hand.links[of]
    was_creating = link.state is State.CREATING
    settled = settle.settle(link, side, outcome, translations.rules_of(link))
    hand.change(settled.link, settled.conflicts)
    if was_creating and settled.link.state is State.LINKED:
        hand.linked.append(settled.link)
        translations.link(settled.link)


def park_waiting(
    setup: ExchangeConfig,
    hand: UnitOfWork,
    translations: Translations,
    link: Link,
) -> bool:
    """Lines whose value the other side does not know yet are visible, and tried again once it may.
    False: there is none.
    """
    rules = translations.rules_of(link)
    lines = waiting(link, rules)
    if not lines:
        return False
    name, to = lines[0]
    through = rules.by_name[name].through
    is_reference = setup.is_reference(through)
    need = ParkReason.REFERENCE_MISSING if is_reference else ParkReason.TYPE_MISSING
    waits_for = (
        wait_key(through, to.other, link.half(to.other).value[name]) if is_reference else None
    )
    hint = f"{', '.join(dict.fromkeys(line for line, _ in lines))}: {need.hint}"
    key = link.half(to.other).key or ""
    work = ParkedWork(
        link_id(link.id),
        link.entity,
        to.other,
        key,
        need,
        hint,
        link.id,
        waits_for,
    )
    hand.parked[work.id] = work
    return True


def hold_decided(hand: UnitOfWork, item: WorkItem, link: Link) -> None:
    """Nobody would say it again: a decision stands among the
    parked work until it is carried out.
    """
    work = ParkedWork(
        link_id(link.id),
        link.entity,
        item.side,
        item.key,
        ParkReason.DECIDED,
        ParkReason.DECIDED.hint,
        link.id,
    )
    hand.parked[work.id] = work
    hand.held.append(item)


def store(setup: ExchangeConfig, hand: UnitOfWork) -> None:
    """Store what changed: links, log, parked work;
    and wake what waited for a pair that is linked since.
    """
    links = [hand.links[one] for one in sorted(hand.changed)]
    for link in links:
        if link.obstacle is Obstacle.KEY_TAKEN:
            _park_taken(hand, link)
        elif link.state is State.ENDED:
            hand.unparked.add(link_id(link.id))
    over = [link for link in links if link.state is State.ENDED]
    for some in (
        over,
        [link for link in links if link.state is not State.ENDED],
    ):  # which may have a row of those
        if some:
            hand.links_of.store(
                [
                    (
                        replace(link, version=link.version + 1),
                        counts_for(setup, link),
                    )
                    for link in some
                ]
            )
    hand.links_of.log(hand.conflicts)
    if hand.unparked - hand.parked.keys():
        hand.links_of.unpark(hand.unparked - hand.parked.keys())
    left = [work for link in hand.ended if (work := left_alone(setup, link)) is not None]
    hand.parked.update({work.id: work for work in left})
    if hand.parked:
        hand.links_of.park([hand.parked[one] for one in sorted(hand.parked)], hand.now)
    if hand.unlinked:
        hand.links_of.store_unlinked(hand.unlinked)
    woken = {wait_key(one.entity, side, one.half(side).key) for one in hand.linked for side in Side}
    if woken or left:
        hand.links_of.wake(woken | {work.waits_for for work in left if work.waits_for is not None})


def _park_taken(hand: UnitOfWork, link: Link) -> None:
    side = Side.AJERA if link.ajera.key is not None else Side.DPS
    work = _blocked(link, side, ParkReason.KEY_TAKEN, ParkReason.KEY_TAKEN.hint)
    hand.parked.setdefault(work.id, work)
