"""The halted partitions of one consumer: reported in the route's state, where every process sees
them, and tried again after a while.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.engine.consumer.ports import Clock, Messages, Offsets, Telemetry
from pipeline.engine.consumer.start import NEVER_SEEN
from pipeline.errors import OffsetLost, PipelineError, Remedy
from pipeline.model.halt import Halt, HaltedAt, Skip, place_of
from pipeline.model.ledger import Progress
from pipeline.model.position import TopicPartition

FIRST_RETRY_SECONDS = 5.0  # then twice as long each time
WAITING_SECONDS = 2.0  # between two tries of what heals without a person: a schema id, say


@dataclass(frozen=True, slots=True)
class _Held:
    at: HaltedAt
    since: datetime
    retry_at: float  # monotonic
    tries: int = 0


class Halting:
    """Keeps what is halted. `consumer`: who we are, for other processes.

    A halted partition is tried again after some seconds, then after twice as long each time, at
    most `retry_seconds`, and at once where a person said that its message may be skipped.
    """

    def __init__(
        self,
        *,
        messages: Messages,
        telemetry: Telemetry,
        clock: Clock,
        consumer: str,
        retry_seconds: float,
    ) -> None:
        self._messages = messages
        self._telemetry = telemetry
        self._clock = clock
        self._consumer = consumer
        self._retry_seconds = retry_seconds
        self._held: dict[TopicPartition, _Held] = {}
        self._tried: set[TopicPartition] = set()  # read again now
        self._places: dict[str, tuple[PipelineError, datetime]] = {}  # tables of the target, say
        self._is_new = True  # what another process said of tables was not looked through yet
        self.is_unreported = False  # the state does not show the latest change

    def __contains__(self, partition: object) -> bool:
        """Is this partition halted now."""
        return partition in self._held and partition not in self._tried

    def pause(self) -> None:
        """Read none of them. One that left and came back is read again by itself until then."""
        self._messages.pause(self._held.keys() - self._tried)

    def halt(self, halted: Mapping[TopicPartition, HaltedAt]) -> None:
        for partition, at in halted.items():
            before = self._held.get(partition)
            since, tries = self._clock.now(), 0
            if before is not None and _is_the_same(before.at, at):
                since, tries = before.since, before.tries + 1
            else:
                self._end(partition)
                self._telemetry.halted(partition.topic, partition.partition, at.error)
                self.is_unreported = True
            self._held[partition] = _Held(at, since, self._next_try(at.error, tries), tries)
            self._tried.discard(partition)
        if halted:
            self.pause()

    def passed(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        """Partitions came this far: those that are beyond their halt resume."""
        for partition, offset in next_offsets.items():
            held = self._held.get(partition)
            if held is not None and offset > held.at.offset:
                self._end(partition)
                self.is_unreported = True

    def halt_places(self, places: Mapping[str, PipelineError]) -> None:
        """These, which are no partitions, are halted now, and no others."""
        for place in self._places.keys() - places.keys():
            self._telemetry.resumed_place(place, self._places.pop(place)[0])
            self.is_unreported = True
        for place, error in places.items():
            before = self._places.get(place)
            if before is None or before[0].code != error.code:
                self._places[place] = error, self._clock.now()
                self._telemetry.halted_place(place, error)
                self.is_unreported = True

    def start_again(self, topics: Collection[str] | None = None) -> None:
        """Every partition (of these topics) is read again from an earlier offset."""
        paused = [one for one in self._held if topics is None or one.topic in topics]
        for partition in paused:
            self._end(partition)
        self._messages.resume(paused)
        self.is_unreported = True

    def retry(self) -> None:
        """Read those again whose time has come; forget those that another consumer has now."""
        for partition in self._held.keys() - self._messages.assignment():
            self._end(partition)
        now = self._clock.monotonic()
        self._read_again(
            {one: held.at.offset for one, held in self._held.items() if now >= held.retry_at}
        )

    def report(self, offsets: Offsets) -> list[Skip]:
        """Make the state say what is halted; what may be skipped."""
        halts = offsets.halts
        stored, skips = {one.place: one for one in halts.halted()}, halts.skips()
        mine = {place_of(one): self._halt_of(one, held) for one, held in self._held.items()}
        mine |= {place: self._halt_at(place, *why) for place, why in self._places.items()}
        new = [one for place, one in mine.items() if not _says(stored.get(place), one)]
        if new:
            halts.halt(new)
        there = [one for one in stored.values() if self._is_left(one)]
        named = {one.partition for one in there} | {one.partition for one in skips}
        known = offsets.progress([one for one in named if one is not None])
        over = [one.place for one in there if _is_beyond(known, one)]
        over += [
            one.place
            for one in stored.values()
            if one.partition is None
            and one.place not in mine
            and (self._is_new or one.consumer == self._consumer)
        ]
        if over:
            halts.lift(over)
        done = [one for one in skips if _is_done(known, one)]
        if done:
            halts.forget_skips(done)
        return [one for one in skips if one not in done]

    def allow(self, skips: Sequence[Skip]) -> None:
        """All is reported. Read those again whose message may be skipped."""
        self.is_unreported = self._is_new = False
        again: dict[TopicPartition, int] = {}
        for partition, held in self._held.items():
            for one in skips:
                if one.partition == partition and one.covers(held.at.incarnation, held.at.offset):
                    is_gone = isinstance(held.at.error, OffsetLost)
                    again[partition] = one.last + 1 if is_gone else held.at.offset
                    if is_gone:
                        self._tried.discard(partition)  # there is nothing to be tried
        self._read_again(again)

    def _read_again(self, offsets: Mapping[TopicPartition, int]) -> None:
        again = {one: offset for one, offset in offsets.items() if one not in self._tried}
        if again:
            self._messages.seek(again)
            self._messages.resume(again)
            self._tried.update(again)

    def _end(self, partition: TopicPartition) -> None:
        held = self._held.pop(partition, None)
        self._tried.discard(partition)
        if held is not None:
            self._telemetry.resumed(partition.topic, partition.partition, held.at.error)

    def _next_try(self, error: PipelineError, tries: int) -> float:
        pause = min(self._retry_seconds, FIRST_RETRY_SECONDS * 2 ** min(tries, 20))
        heals = error.remedy is Remedy.RETRY
        return self._clock.monotonic() + (WAITING_SECONDS if heals else pause)

    def _halt_of(self, partition: TopicPartition, held: _Held) -> Halt:
        return Halt(
            place=place_of(partition),
            partition=partition,
            incarnation=held.at.incarnation,
            offset=held.at.offset,
            code=held.at.error.code,
            sentence=held.at.error.sentence,
            since=held.since,
            consumer=self._consumer,
        )

    def _halt_at(self, place: str, error: PipelineError, since: datetime) -> Halt:
        return Halt(place, None, None, None, error.code, error.sentence, since, self._consumer)

    def _is_left(self, one: Halt) -> bool:
        """Reported by somebody of a partition that is ours now, and is not halted here."""
        return one.partition in self._messages.assignment() and one.partition not in self._held


def _is_the_same(one: HaltedAt, other: HaltedAt) -> bool:
    return (one.incarnation, one.offset, one.error.code) == (
        other.incarnation,
        other.offset,
        other.error.code,
    )


def _says(stored: Halt | None, one: Halt) -> bool:
    return (
        stored is not None
        and (stored.incarnation, stored.offset, stored.code)
        == (
            one.incarnation,
            one.offset,
            one.code,
        )
        and stored.consumer == one.consumer
    )


def _is_beyond(known: Mapping[TopicPartition, Progress], one: Halt) -> bool:
    there = None if one.partition is None else known.get(one.partition)
    if there is None:  # of no message, in a partition that never had one
        return one.incarnation == NEVER_SEEN
    return there.incarnation != one.incarnation or there.next_offset > (one.offset or 0)


def _is_done(known: Mapping[TopicPartition, Progress], one: Skip) -> bool:
    there = known.get(one.partition)
    return there is not None and (
        there.incarnation != one.incarnation or there.next_offset > one.last
    )
