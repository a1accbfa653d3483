"""The engine on a target database, fed with events instead of messages: what a consumer does,
without Kafka.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Engine, text

from pipeline.database.sql.engine import create_engine
from pipeline.database.state.migrate import upgrade
from pipeline.database.systems.live import create_target_tables
from pipeline.database.target import DatabaseTarget
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.engine.consumer import ports
from pipeline.engine.consumer.batch import BatchResult
from pipeline.engine.consumer.circuit import Limits
from pipeline.engine.consumer.ports import Target
from pipeline.engine.projection.direct import LEAST_AT_ONCE
from pipeline.engine.projection.loading import Loading
from pipeline.engine.projection.postponed import POSTPONED_SECONDS
from pipeline.engine.projection.processor import Processor
from pipeline.engine.projection.recompute import Recompute
from pipeline.engine.projection.refusals import Described
from pipeline.errors import PipelineError, Remedy, TopicRenewed
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.model.event import Decoded, Event, Message
from pipeline.model.halt import place_of
from pipeline.model.load import LoadProgress
from pipeline.model.outcome import RowCounts
from pipeline.model.position import TopicPartition
from tests.support.decoding import many
from tests.support.events import NOON
from tests.twins.messages import (
    MemoryBroker,
    MemoryDeadLetters,
    MemoryMessages,
)
from tests.twins.target import MemoryTarget

T = TypeVar("T")


def topic_of(table: str) -> str:
    return f"ajera.{table}"


TOPICS = {table.name: topic_of(table.name) for table in AJERA_TO_PIM.sources}
PATIENCE = 200


class Clock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class Ticking(Clock):
    """A clock that each look moves on by some seconds:
    whatever was noted before is old at the next look.
    """

    def __init__(self) -> None:
        self._looks = 0

    def now(self) -> datetime:
        self._looks += 1
        return NOON + timedelta(seconds=2 * self._looks)


@dataclass
class Counted:
    """Telemetry that remembers how events ended."""

    read: int = 0
    ended: dict[tuple[str, str], int] = field(default_factory=dict)
    standing: dict[str, str] = field(default_factory=dict)  # place -> code of what is halted
    halts: int = 0  # how often a halt was told
    rewinds: int = 0
    loads: list[LoadProgress] = field(default_factory=list)
    loaded_tables: list[str] = field(default_factory=list)
    largest: Counter[str] = field(default_factory=Counter)  # by table the rows of a transaction
    edits: Counter[tuple[str, str]] = field(default_factory=Counter)  # table and column put back

    def events_read(self, topic: str, count: int) -> None:
        del topic
        self.read += count

    def event_ended(self, topic: str, outcome: str, reason: str, count: int) -> None:
        del topic
        self.ended[str(outcome), str(reason)] = (
            self.ended.get((str(outcome), str(reason)), 0) + count
        )

    def rows(self, table: str, counts: RowCounts) -> None:
        total = counts.created + counts.changed + counts.unchanged
        self.largest[table] = max(self.largest[table], total)

    def delay(self, table: str, seconds: float, count: int) -> None: ...
    def step(self, name: str, seconds: float) -> None: ...
    def hop(self, name: str, seconds: float) -> None: ...
    def values_fitted(self, table: str, column: str, how: str, count: int) -> None: ...
    def retried(self, error: PipelineError) -> None: ...

    def put_back(self, table: str, columns: Sequence[str]) -> None:
        self.edits.update((table, column) for column in columns)

    def recovered(self) -> None: ...
    def parked(self, count: int) -> None: ...
    def parking(self, rise: int, most: int) -> None: ...
    def dead_lettered(self, error: PipelineError) -> None: ...

    def halted(self, topic: str, partition: int, error: PipelineError) -> None:
        self.halts += 1
        self.standing[place_of(TopicPartition(topic, partition))] = error.code

    def halted_place(self, place: str, error: PipelineError) -> None:
        self.halts += 1
        self.standing[place] = error.code

    def resumed_place(self, place: str, error: PipelineError) -> None:
        assert self.standing.pop(place) == error.code

    def rewound(self, error: PipelineError) -> None:
        self.rewinds += 1
        self.standing["rewound"] = error.code

    def renewed(self, error: PipelineError) -> None:
        assert error.code == TopicRenewed.code
        self.rewinds += 1

    def caught_up(self) -> None:
        del self.standing["rewound"]

    def first_load(self, progress: LoadProgress) -> None:
        self.loads.append(progress)

    def loaded(self, table: str) -> None:
        self.loaded_tables.append(table)

    def resumed(self, topic: str, partition: int, error: PipelineError) -> None:
        assert self.standing.pop(place_of(TopicPartition(topic, partition))) == error.code

    def second_writer(self, todo: str) -> None: ...
    def conflict(self, kind: str, rule: str, winner: str) -> None: ...


class Prepared:
    """A decoder that finds the event of a message by its place."""

    def __init__(self, events: Mapping[tuple[str, int, int], Decoded]) -> None:
        self._events = events

    def decode(self, message: Message, incarnation: int) -> Decoded:
        del incarnation
        return self._events[message.topic, message.partition, message.offset]

    def decode_many(
        self, messages: Sequence[Message], start: int, incarnation: int
    ) -> Sequence[Event]:
        return many(self.decode, messages, start, incarnation)


def patiently(call: Callable[[], T]) -> T:
    """Try again what is transient, at once, and not for ever."""
    for _ in range(PATIENCE):
        try:
            return call()
        except PipelineError as error:
            if error.remedy is not Remedy.RETRY:
                raise
    raise AssertionError(f"still transient after {PATIENCE} tries")


def message_of(event: Event) -> Message:
    return Message(
        topic_of(event.table),
        event.place.partition,
        event.place.offset,
        b"",
        b"",
    )


class Consumer:
    """One process: batches of events through the whole engine."""

    def __init__(
        self,
        target: Target,
        events: Iterable[Event],
        limits: Limits | None = None,
        clock: ports.Clock | None = None,
        *,
        route: Route = AJERA_TO_PIM,
        site: Site | None = None,
        describe: Callable[[], Described] = lambda: Described({}),
        observed: Sequence[str] = (),
        least_at_once: int = LEAST_AT_ONCE,
        most_roots: int = 10_000,
        postpones: bool = False,
        postponed_seconds: float = POSTPONED_SECONDS,
    ) -> None:
        """`postpones`: what is postponed is done when the test says so, not after each batch."""
        site = site or Site()
        self._postpones = postpones
        self.telemetry = Counted()
        self.letters = MemoryDeadLetters()
        names = [*(one.name for one in route.sources), *(one.table.name for one in route.observed)]
        self.incarnations = {topic_of(name): 1 for name in names}
        self._prepared: dict[tuple[str, int, int], Decoded] = {
            (topic_of(one.table), one.place.partition, one.place.offset): one for one in events
        }
        self.processor = Processor(
            route=route,
            site=site,
            decoder=Prepared(self._prepared),
            target=target,
            recompute=Recompute(
                route,
                site,
                {t.name: t for t in route.targets},
                target.counts_utf16,
                most_roots,
            ),
            dead_letters=self.letters,
            telemetry=self.telemetry,
            clock=clock or Clock(),
            limits=limits,
            describe=describe,
            observed=observed,
            postponed_seconds=postponed_seconds,
        )
        self.processor.least_at_once = least_at_once

    def prepare(self, place: TopicPartition, offset: int, decoded: Decoded) -> None:
        """What a message at this place will be decoded to."""
        self._prepared[place.topic, place.partition, offset] = decoded

    def beat(self, topic: str) -> BatchResult:
        """The one message that was prepared in a topic without rows."""
        return self._process([Message(topic, 0, 0, b"", b"")])

    def take(self, events: Sequence[Event]) -> BatchResult:
        return self._process([message_of(one) for one in events])

    def feed(self, decoded: Sequence[Decoded], start: int = 0) -> BatchResult:
        """One batch in partition 0 of its events' topics (others: AxVec's),
        at offsets of its own from `start` on.
        """
        messages = []
        for offset, one in enumerate(decoded, start):
            topic = topic_of(one.table) if isinstance(one, Event) else TOPICS["AxVec"]
            placed = (
                replace(one, place=one.place._replace(offset=offset))
                if isinstance(one, Event)
                else one
            )
            self._prepared[topic, 0, offset] = placed
            messages.append(Message(topic, 0, offset, b"", b""))
        return self._process(messages)

    def _process(self, messages: Sequence[Message]) -> BatchResult:
        result = self.processor.process(messages, self.incarnations, patiently)
        if not self._postpones:
            self.processor.finish(patiently)
        return result

    def drain(self) -> None:
        """Try everything that is due or waits, as often as one thing can wait for another."""
        for _ in range(4):
            self.processor.drain(patiently, waiting_retry_seconds=-60.0)


def ready(target: MemoryTarget) -> MemoryTarget:
    """The twin, every source table read to its end."""
    with target.transaction() as transaction:
        for table in target.route.sources:
            transaction.set_load_ends(topic_of(table.name), table.name, 1, {0: 0})
            transaction.set_loaded(table.name, 1)
    return target


def loading_of(
    target: Target,
    epoch: int,
    clock: ports.Clock,
    route: Route = AJERA_TO_PIM,
    broker: MemoryBroker | None = None,
) -> Loading:
    """What finishes tables whose ends are known, or are told by a broker,
    with evidence that the snapshot of this epoch is over.
    """
    nothing = MemoryMessages(
        broker or MemoryBroker(),
        group="g",
        topics=[],
        stored_offsets=lambda _: {},
        on_assigned=lambda _: None,
        on_revoked=lambda _: None,
    )
    loading = Loading(
        route=route,
        topics={table.name: topic_of(table.name) for table in route.sources},
        messages=nothing,
        target=target,
        telemetry=Counted(),
        clock=clock,
    )
    loading.snapshot_ended(epoch)
    return loading


def fresh_target(url: str) -> tuple[Engine, DatabaseTarget]:
    """A PIM with its tables, the sync schema, and every source table loaded."""
    engine = create_engine(url)
    create_target_tables(engine, AJERA_TO_PIM, Site())
    upgrade(engine, mirrored=AJERA_TO_PIM.sources)
    target = DatabaseTarget(engine, AJERA_TO_PIM, Site())
    with target.transaction() as transaction:
        for table, topic in TOPICS.items():
            transaction.set_load_ends(topic, table, 1, {0: 0})
            transaction.set_loaded(table, 1)
    return engine, target


def pim_rows(engine: Engine, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
    """What PIM holds, without what depends on the time of creation."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with engine.connect() as connection:
        for table in tables or (
            "Organization",
            "Contact",
            "Project",
            "Project_Contact",
        ):
            rows = connection.execute(text(f'SELECT * FROM "{table}"')).mappings()
            found[table] = sorted(
                tuple(value for name, value in row.items() if name != "Created Date")
                for row in rows
            )
    return {table: sorted(rows, key=repr) for table, rows in found.items()}


def emptied(engine: Engine) -> None:
    """Everything as `fresh_target` left it."""
    tables = (
        "Project_Contact",
        "Project",
        "Contact",
        "Organization",
        "Project_Status",
        "Role_Type",
    )
    mirrors = [f"mirror_{table}" for table in TOPICS]
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE " + ", ".join(f'"{table}"' for table in tables)))
        names = [*mirrors, "due", "progress", "owned_row"]
        connection.execute(text("TRUNCATE " + ", ".join(f'sync."{name}"' for name in names)))
