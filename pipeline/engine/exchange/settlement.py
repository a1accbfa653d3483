"""Settling what became of writes, and storing the unit of work."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

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
from pipeline.model.replace import replace
from pipeline.pairing.entity import ParkedWork


def settle_open(unit: UnitOfWork, translations: Translations, ids: Collection[str]) -> None:
    """Settle what a process that died has left open in these links:
    found in Ajera's table or fenced there.

    A live process may still carry such a write out. Whoever fences it must decide the link
    in this round: the write is asked for again only then.
    """
    numbers = {
        settle.intention_of(link, number): (link.id, side, number)
        for link in unit.links.values()
        if link.id in ids
        for side, number in settle.open_writes(link)
    }
    if not numbers:
        return
    fenced = unit.ajera.take(numbers)
    recorded = unit.ajera.recorded(numbers.keys() - fenced)
    for intention, (of, side, number) in sorted(numbers.items()):
        outcome = settle.recalled(number, recorded.get(intention))
        _settle(unit, translations, of, side, outcome)


def settle_all(
    unit: UnitOfWork,
    translations: Translations,
    side: Side,
    writes: Iterable[Write],
    outcomes: Mapping[str, WriteOutcome],
) -> None:
    """Fold outcomes into their links. A write without one could not be made: it is given up."""
    for write in writes:
        outcome = outcomes.get(write.intention)
        _settle(
            unit,
            translations,
            write.link,
            side,
            settle.recalled(write.number, None) if outcome is None else outcome,
        )


def give_up(
    unit: UnitOfWork,
    translations: Translations,
    write: Write,
    refusal: PipelineError,
) -> None:
    """A write that the database refuses: given up, its link parked with the reason."""
    _settle(
        unit,
        translations,
        write.link,
        write.side,
        settle.recalled(write.number, None),
    )
    link = unit.links[write.link]
    work = _blocked(link, write.side.other, refusal.code, str(refusal))
    unit.parked[work.id] = work


def _blocked(link: Link, side: Side, code: str, hint: str) -> ParkedWork:
    """A write that could not be made. If it was a creation,
    the work continues as soon as that succeeds, by whatever event.

    It is unparked only then, with all that follows of it:
    nobody else would know of that after a crash.
    """
    key = link.side(side).key or ""
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
    unit: UnitOfWork,
    translations: Translations,
    of: str,
    side: Side,
    outcome: WriteOutcome,
) -> None:
    link = unit.links[of]
    was_creating = link.state is State.CREATING
    settled = settle.settle(link, side, outcome, translations.rules_of(link))
    unit.change(settled.link, settled.conflicts)
    if was_creating and settled.link.state is State.LINKED:
        unit.linked.append(settled.link)
        translations.link(settled.link)


def park_waiting(
    setup: ExchangeConfig,
    unit: UnitOfWork,
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
        wait_key(through, to.other, link.side(to.other).value[name]) if is_reference else None
    )
    hint = f"{', '.join(dict.fromkeys(line for line, _ in lines))}: {need.hint}"
    key = link.side(to.other).key or ""
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
    unit.parked[work.id] = work
    return True


def hold_decided(unit: UnitOfWork, item: WorkItem, link: Link) -> None:
    """No event would repeat it: a decision is kept among the
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
    unit.parked[work.id] = work
    unit.held.append(item)


def store(setup: ExchangeConfig, unit: UnitOfWork) -> None:
    """Store what changed: links, log, parked work;
    and wake what waited for a pair that is linked since.
    """
    links = [unit.links[one] for one in sorted(unit.changed)]
    for link in links:
        if link.obstacle is Obstacle.KEY_TAKEN:
            _park_taken(unit, link)
        elif link.state is State.ENDED:
            unit.unparked.add(link_id(link.id))
    over = [link for link in links if link.state is State.ENDED]
    for some in (
        over,
        [link for link in links if link.state is not State.ENDED],
    ):  # which may have a row of those
        if some:
            unit.links_of.store(
                [
                    (
                        replace(link, version=link.version + 1),
                        counts_for(setup, link),
                    )
                    for link in some
                ]
            )
    unit.links_of.log(unit.conflicts)
    if unit.unparked - unit.parked.keys():
        unit.links_of.unpark(unit.unparked - unit.parked.keys())
    left = [work for link in unit.ended if (work := left_alone(setup, link)) is not None]
    unit.parked.update({work.id: work for work in left})
    if unit.parked:
        unit.links_of.park([unit.parked[one] for one in sorted(unit.parked)], unit.now)
    if unit.unlinked:
        unit.links_of.store_unlinked(unit.unlinked)
    woken = {wait_key(one.entity, side, one.side(side).key) for one in unit.linked for side in Side}
    if woken or left:
        unit.links_of.wake(woken | {work.waits_for for work in left if work.waits_for is not None})


def _park_taken(unit: UnitOfWork, link: Link) -> None:
    side = Side.AJERA if link.ajera.key is not None else Side.DPS
    work = _blocked(link, side, ParkReason.KEY_TAKEN, ParkReason.KEY_TAKEN.hint)
    unit.parked.setdefault(work.id, work)
