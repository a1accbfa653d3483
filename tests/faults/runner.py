"""`python -m tests.faults.runner`: a consumer that ends itself by SIGKILL at a chosen point,
as a power cut would.

The product's own parts, wrapped: nothing in it knows that it is being tested.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pipeline.config.load import load
from pipeline.domain.routes import AJERA_TO_PIM, ROUTES
from pipeline.engine.consumer import ports
from pipeline.engine.projection.processor import Processor
from pipeline.model.event import Decoded, Event, Message
from pipeline.model.position import TopicPartition
from pipeline.operations.run import run_members
from pipeline.telemetry import log
from pipeline.telemetry.health import Health
from pipeline.telemetry.prometheus import PrometheusTelemetry
from pipeline.wiring.projection import (
    ConsumerParts,
    build_consumer,
    member,
    parts,
)

POINTS = (
    "after poll",
    "after decode",
    "before a transaction",
    "inside stage",
    "before commit of stage",
    "after commit of stage",
    "inside recompute",
    "before commit of recompute",
    "after commit of recompute",
    "after commit of progress",
    "before offset commit",
    "after offset commit",
    "in the assign callback",
    "in the revoke callback",
)
# Which calls tell what a transaction is for, and in the middle of what it is after them.
KINDS = {
    "write_rows": "stage",
    "write_plain": "stage",
    "upsert": "recompute",
    "clear": "recompute",
}
INSIDE = {
    "write_rows": "inside stage",
    "write_plain": "inside stage",
    "upsert": "inside recompute",
    "upsert_plain": "inside recompute",
}
LEAST_AT_ONCE = 3  # so that small batches go that way, too


class Bomb:
    """Goes off the n-th time that its point is reached."""

    def __init__(self, point: str, count: int) -> None:
        self._point = point
        self._left = count

    def at(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class BombedMessages:
    """The membership."""

    def __init__(self, inner: ports.Messages, bomb: Bomb) -> None:
        self._inner = inner
        self._bomb = bomb

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def poll(self, limit: int, timeout_seconds: float) -> Sequence[Message]:
        messages = self._inner.poll(limit, timeout_seconds)
        if messages:
            self._bomb.at("after poll")
        return messages

    def commit(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        self._bomb.at("before offset commit")
        self._inner.commit(next_offsets)
        self._bomb.at("after offset commit")


class BombedDecoder:
    """The decoder."""

    def __init__(self, inner: ports.Decoder, bomb: Bomb) -> None:
        self._inner = inner
        self._bomb = bomb

    def decode(self, message: Message, incarnation: int) -> Decoded:
        decoded = self._inner.decode(message, incarnation)
        self._bomb.at("after decode")
        return decoded

    def decode_many(
        self, messages: Sequence[Message], start: int, incarnation: int
    ) -> Sequence[Event]:
        events = self._inner.decode_many(messages, start, incarnation)
        self._bomb.at("after decode")
        return events


class BombedTransaction:
    """A transaction; what was called on it tells what it is for. `is_progress`: it stores offsets,
    alone or with the last events of a batch.
    """

    is_progress = False

    def __init__(self, inner: ports.Transaction, bomb: Bomb) -> None:
        self._inner = inner
        self._bomb = bomb
        self.kind = "look"

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found  # a part of the state

        def called(*arguments: Any, **named: Any) -> Any:
            answer = found(*arguments, **named)
            self.is_progress = self.is_progress or name == "advance"
            if self.kind != "stage":  # which may write target rows directly, too
                self.kind = KINDS.get(name, self.kind)
            if name in INSIDE:
                self._bomb.at(INSIDE[name])
            return answer

        return called


class BombedTarget:
    """The target database."""

    def __init__(self, inner: ports.Target, bomb: Bomb) -> None:
        self._inner = inner
        self._bomb = bomb

    @property
    def counts_utf16(self) -> bool:
        return self._inner.counts_utf16

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        self._bomb.at("before a transaction")
        with self._inner.transaction() as transaction:
            bombed = BombedTransaction(transaction, self._bomb)
            yield bombed
            self._bomb.at(f"before commit of {bombed.kind}")
        self._bomb.at(f"after commit of {bombed.kind}")
        if bombed.is_progress:
            self._bomb.at("after commit of progress")


class BombedTelemetry(PrometheusTelemetry):
    """Is told of partitions in the middle of a rebalance."""

    def __init__(self, health: Health, bomb: Bomb) -> None:
        super().__init__(health)
        self._bomb = bomb
        self._held_by: Counter[int] = Counter()

    def assigned(self, partitions: int, member: int = 1) -> None:
        is_more = partitions >= self._held_by[member]
        self._bomb.at("in the assign callback" if is_more else "in the revoke callback")
        self._held_by[member] = partitions
        super().assigned(partitions, member)


@click.command()
@click.option("--config", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--point", type=click.Choice(POINTS), required=True)
@click.option("--count", type=int, required=True)
def main(*, config: Path, point: str, count: int) -> None:
    """Run until the bomb goes off, or SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    bomb, health = Bomb(point, count), Health()
    settings = load(config, {}, ROUTES)
    log.configure(settings.log.level, settings.log.format)
    telemetry = BombedTelemetry(health, bomb)

    def join(of: ConsumerParts, processor: Processor) -> Any:
        processor.least_at_once = LEAST_AT_ONCE
        return BombedMessages(member(of, processor), bomb)

    def run(number: int, ending: Callable[[], bool]) -> None:
        with parts(AJERA_TO_PIM, settings, telemetry, health) as whole:
            bombed = replace(
                whole,
                member=number,
                target=BombedTarget(whole.target, bomb),
                decoder=BombedDecoder(whole.decoder, bomb),
            )
            build_consumer(bombed, ending, join).run()

    run_members(settings.run.members, run, stop.is_set)


if __name__ == "__main__":
    main()
