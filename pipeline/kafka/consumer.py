"""The port `Messages` on a Kafka consumer group: where partitions start, what is polled,
what is committed.

A partition starts at the smaller of the stored and the committed offset; an offset that retention
has deleted halts it.
librdkafka runs its callbacks within `consume`. An error raised there is kept, and raised by the
next `poll` that returns no messages: raised earlier it would lose messages, since the position is
already after them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from confluent_kafka import Consumer, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from pipeline.errors import PipelineError, TopicMissing
from pipeline.kafka.admin import KafkaAdmin
from pipeline.kafka.broker import client
from pipeline.kafka.buffer import Buffer
from pipeline.kafka.commits import Commits
from pipeline.kafka.errors import (
    LOGGER,
    cause,
    ours,
    theirs,
)
from pipeline.kafka.kept_error import KeptError
from pipeline.kafka.message import read_message
from pipeline.kafka.protocol import EAGER, Protocol, consumer_settings
from pipeline.kafka.seeking import lost_of, seek
from pipeline.kafka.standby import Standby
from pipeline.kafka.starts import Known, starts_of, stored_starts_of
from pipeline.model.event import Message
from pipeline.model.halt import LostAt
from pipeline.model.held import HeldPartitions
from pipeline.model.position import TopicPartition

StoredOffsets = Callable[[Collection[TopicPartition]], Known]
Told = Callable[[frozenset[TopicPartition]], None]


class KafkaMessages:
    """One member of a consumer group. Call it from one thread only.

    `held`: where it shows which partitions it has, and how far it committed each.
    `stored_offsets`: next offsets in `sync`, where known. `on_assigned` is called with new
    partitions (none: a standby) before their first message, `on_revoked` with revoked ones while
    their offsets can still be committed.
    """

    def __init__(
        self,
        *,
        bootstrap: str,
        group: str,
        topics: Sequence[str],
        client_settings: Mapping[str, str],
        stored_offsets: StoredOffsets,
        on_assigned: Told,
        on_revoked: Told,
        protocol: Protocol = "classic",
        held: HeldPartitions | None = None,
    ) -> None:
        self._held = held or HeldPartitions()
        self._stored_offsets = stored_offsets
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._awaiting_start: set[TopicPartition] = set()  # assigned, start offset not resolved yet
        self._paused: set[TopicPartition] = set()  # by the caller, not by `wait`
        self._starts: dict[TopicPartition, int] = {}  # of those that are assigned
        self._waiting = self._closing = False
        self._buffer = Buffer()
        self._is_eager = protocol in EAGER
        self._standby = Standby(on_assigned)
        # A client of its own: on the consumer's connections each answer waits behind a fetch.
        self._admin = KafkaAdmin(bootstrap, client_settings)
        self._kept_error = KeptError(self._admin)
        settings = consumer_settings(bootstrap, group, client_settings, protocol)
        settings["error_cb"] = self._kept_error.note
        self._commits = Commits(self._admin.broker)
        settings["on_commit"] = self._commits.answered
        self._consumer = client(lambda: Consumer(settings, logger=LOGGER), client_settings)
        self._consumer.subscribe(
            list(topics),
            on_assign=self._assign,
            on_revoke=self._revoke,
            on_lost=self._lose,
        )

    @property
    def last_error(self) -> str | None:
        """What librdkafka reported last."""
        return self._kept_error.last

    def poll(self, limit: int, timeout_seconds: float) -> Sequence[Message]:
        """Up to `limit` messages, in offset order within a partition: as many as there are;
        none after the timeout.

        Raises ServiceUnreachable, and whatever the three callables raised during a rebalance.
        """
        self._kept_error.raise_first()
        if self._awaiting_start:
            self._place(frozenset(self._awaiting_start))
        self._commits.send(self._consumer)
        self._end_wait()
        if not self._buffer and self._consume(1, timeout_seconds):
            self._consume(limit - 1, 0.0)
        messages = self._buffer.take()
        if messages:
            self._kept_error.answered()
            return messages
        self._admin.hear()
        self._kept_error.raise_first()
        self._kept_error.raise_if_down(self._consumer)
        self._standby.polled_nothing()
        return []

    def lost(self) -> Mapping[TopicPartition, LostAt]:
        """Partitions that cannot be read from where they should be, each once."""
        found = self._kept_error.take_lost()
        return {tp: at for tp, at in found.items() if tp in self._buffer.assigned}

    def commit(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        """Commit next offsets; partitions that are no longer assigned are left out. Returns before
        the broker has answered, and raises what it said of the ones before: ServiceUnreachable.
        """
        offsets = {tp: at for tp, at in next_offsets.items() if tp in self._buffer.assigned}
        self._held.applied(offsets)
        self._commits.give(offsets)
        self._commits.send(self._consumer)

    def wait(self, seconds: float) -> None:
        """Stay a member, with every partition paused. The next `poll` returns the messages that
        arrived, and raises the errors that occurred.
        """
        if not self._waiting:
            self._waiting = True
            self._consumer.pause([theirs(tp) for tp in sorted(self._buffer.assigned)])
        try:
            self._consume(1, seconds)
        except PipelineError as error:
            self._kept_error.keep(error)

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Stop fetching these; those that are not assigned are left out."""
        chosen = self._buffer.assigned.intersection(partitions)
        self._paused |= chosen
        self._consumer.pause([theirs(tp) for tp in sorted(chosen)])

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Fetch these again; those that are not assigned are left out."""
        chosen = self._buffer.assigned.intersection(partitions)
        self._paused -= chosen
        self._consumer.resume([theirs(tp) for tp in sorted(chosen)])

    def seek(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Those that do not hold the offset are lost. Raises ServiceUnreachable."""
        chosen = {tp: at for tp, at in offsets.items() if tp in self._buffer.assigned}
        lost = lost_of(chosen, self._admin)
        try:
            for tp in sorted(chosen.keys() - lost.keys()):
                seek(self._consumer, tp, chosen[tp], self._starts, is_eager=self._is_eager)
        except KafkaException as error:
            raise self._admin.broker.failure("reading from another offset", cause(error)) from error
        self._kept_error.placed(chosen.keys(), lost)
        self._buffer.drop(chosen.keys())

    def restart(self, topics: Collection[str] | None = None) -> None:
        """As `stored_offsets` says. Raises ServiceUnreachable, and what that callable raises."""
        partitions = frozenset(
            tp for tp in self._buffer.assigned if topics is None or tp.topic in topics
        )
        starts = stored_starts_of(partitions, self._stored_offsets(partitions), self._admin)
        self.seek(starts.offsets)
        self._held.assigned(starts.offsets)
        self._kept_error.placed(partitions, starts.lost)

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions that messages are read from."""
        return self._buffer.assigned

    def end_offsets(self, topic: str) -> Mapping[int, int]:
        """For each partition of the topic, assigned or not, the offset after its newest message.

        Raises ServiceUnreachable, also when the topic does not exist.
        """
        found = self._admin.watermarks([topic])
        if not found:
            raise TopicMissing(f"Kafka has no topic {topic}.")
        return {tp.partition: high for tp, (_, high) in found.items()}

    def close(self) -> None:
        """Leave the group. `on_revoked` is called first; its error is raised after leaving."""
        self._closing = True
        self._kept_error.forget()
        self._consumer.close()
        self._admin.close()
        self._held.revoked(self._buffer.assigned)
        self._buffer.revoke(self._buffer.assigned)
        self._awaiting_start.clear()
        self._kept_error.raise_first()

    def _assign(self, _: Consumer, partitions: list[KafkaPartition]) -> None:
        # Always assign inside the callback: otherwise confluent_kafka assigns by itself.
        given = frozenset(map(ours, partitions))
        if self._closing:
            self._take_over({})
            return
        self._awaiting_start |= given
        try:
            self._place(given)
        except Exception as error:
            self._kept_error.keep(error)
            self._take_over({})

    def _place(self, partitions: frozenset[TopicPartition]) -> None:
        stored = self._stored_offsets(partitions)
        starts = starts_of(partitions, stored, self._consumer, self._admin)
        placed = [theirs(tp) for tp in sorted(partitions)]
        self._on_assigned(partitions)
        self._standby.assigned()
        try:
            self._take_over(starts.offsets)
        except KafkaException as error:
            raise self._admin.broker.failure("taking over partitions", cause(error)) from error
        self._kept_error.placed(partitions, starts.lost)
        self._awaiting_start -= partitions
        self._starts |= starts.offsets
        self._buffer.assign(partitions)
        self._held.assigned({tp: max(at, 0) for tp, at in starts.offsets.items()})
        # librdkafka remembers that a partition was paused when it left:
        # it would never be read again.
        (self._consumer.pause if self._waiting else self._consumer.resume)(placed)

    def _lose(self, _: Consumer, partitions: list[KafkaPartition]) -> None:
        """Others may have them already: nothing of these is committed."""
        self._commits.forget(frozenset(map(ours, partitions)))
        self._revoke(_, partitions)

    def _revoke(self, _: Consumer, partitions: list[KafkaPartition]) -> None:
        leaving = frozenset(map(ours, partitions))
        self._awaiting_start -= leaving
        placed = leaving & self._buffer.assigned
        try:
            if placed:
                self._on_revoked(placed)
        except Exception as error:
            self._kept_error.keep(error)
        if not self._kept_error.is_down:
            self._commits.leave(self._consumer)
        self._commits.forget(leaving)
        self._buffer.revoke(leaving)
        self._held.revoked(leaving)
        self._paused -= leaving
        self._starts = {tp: at for tp, at in self._starts.items() if tp not in leaving}
        if self._is_eager:
            self._consumer.unassign()
        else:
            self._consumer.incremental_unassign([theirs(tp) for tp in sorted(placed)])

    def _take_over(self, starts: Mapping[TopicPartition, int]) -> None:
        """Read these from now on. Under an eager protocol they are all that we have."""
        given = [theirs(tp, offset) for tp, offset in sorted(starts.items())]
        (self._consumer.assign if self._is_eager else self._consumer.incremental_assign)(given)

    def _consume(self, limit: int, timeout_seconds: float) -> bool:
        """Buffer the messages that arrive, while their partition is assigned; returns whether any
        did. Raises ServiceUnreachable.

        `consume` waits its whole timeout for `limit` messages, and runs rebalances. One within it
        can revoke a partition whose messages it returns: its new owner reads those.
        """
        try:
            batch = self._consumer.consume(limit, timeout_seconds) if limit else []
        except KafkaException as error:
            raise self._admin.broker.failure("reading messages", cause(error)) from error
        for each in batch:
            fault = each.error()
            if fault is not None:
                self._kept_error.keep_polled(each, fault)
            else:
                self._buffer.add(read_message(each))
        return bool(batch)

    def _end_wait(self) -> None:
        if self._waiting:
            self._waiting = False
            self._consumer.resume(
                [theirs(tp) for tp in sorted(self._buffer.assigned - self._paused)]
            )
