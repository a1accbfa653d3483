"""How far a route is behind: in messages, in seconds by the source's clock, and what is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from pipeline.errors import ExitCode
from pipeline.kafka.groups import GroupState
from pipeline.model.position import TopicPartition
from pipeline.operations.backlog import backlogs, freshness
from pipeline.operations.group_state import GroupVerdict
from pipeline.operations.lag import Lag, Stored, lag_of, probe, starts_of
from pipeline.wiring.route import RouteHandle, route_named
from pipeline.wiring.source import Source, source_of
from tests.support.lags import change, milliseconds, settings_in, times
from tests.twins.kafka_topics import KafkaTopics

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HEARTBEAT = "__debezium-heartbeat.ajera"
ROW = "ajera.heartbeat"
CAPTURED_AFTER = timedelta(seconds=40)  # a long transaction: Kafka's time is that much later


@dataclass
class World:
    """A route whose topics are there, and empty."""

    route: RouteHandle
    source: Source
    topics: KafkaTopics = field(default_factory=KafkaTopics)
    now: datetime = NOON

    def beat(self) -> None:
        self.topics.append(HEARTBEAT, None, milliseconds(self.now))

    def row(self) -> None:
        """The heartbeat row came back through the log."""
        self.topics.append(ROW, None, milliseconds(self.now))

    def commit(self, committed_at: datetime) -> None:
        at_ms = milliseconds(committed_at + CAPTURED_AFTER)
        self.topics.append("ajera.AxVec", change(committed_at), at_ms)

    def lag(
        self,
        committed: Mapping[str, int] | None = None,
        members: int = 1,
        moved_at: datetime | None = None,
        stored: int = 0,
    ) -> Lag:
        known = {TopicPartition(topic, 0): at for topic, at in (committed or {}).items()}
        vec = TopicPartition("ajera.AxVec", 0)
        said = {} if moved_at is None else {vec: Stored(stored, moved_at)}
        names = list(self.route.topics)
        found = backlogs(self.topics, times(), names, starts_of(known, said))
        seen = freshness(self.topics, self.source, self.now)
        group = GroupState("stable" if members else "empty", members, {})
        return lag_of(self.route, group, found, [seen], self.now, said, 60.0)


@pytest.fixture
def world(tmp_path: Path) -> World:
    settings = settings_in(tmp_path)
    found = World(route_named(settings, "pim"), source_of(settings, "ajera"))
    for topic in (*found.route.topics, HEARTBEAT, ROW):
        found.topics.create(topic)
    return found


def test_caught_up_is_zero_while_the_source_is_seen(world: World) -> None:
    """And everything up to its newest heartbeat is applied."""
    world.beat()
    world.now += timedelta(seconds=4)
    found = world.lag({"ajera.AxVec": 0})
    assert (found.state, found.lag, found.delay_seconds) == (GroupVerdict.OK, 0, 0.0)
    assert found.applied_until == NOON
    assert found.sources[0].seen_seconds == 4.0
    assert probe([found], 0.0) == ExitCode.OK


def test_the_delay_is_the_age_of_the_commit_in_the_source_not_of_the_message(world: World) -> None:
    """A change that was captured late is as old as its commit."""
    world.commit(NOON - timedelta(seconds=90))
    world.commit(NOON - timedelta(seconds=50))
    world.beat()
    found = world.lag({"ajera.AxVec": 0})
    assert (found.lag, found.delay_seconds) == (2, 90.0)
    assert found.applied_until == NOON - timedelta(seconds=90)
    assert world.lag({"ajera.AxVec": 1}).delay_seconds == 50.0
    assert probe([found], 89.0) == ExitCode.DEGRADED


def test_a_message_without_a_readable_time_is_as_old_as_kafka_says(world: World) -> None:
    """A tombstone, or a schema that the registry does not give."""
    world.topics.append("ajera.AxVec", None, milliseconds(NOON - timedelta(seconds=3)))
    assert world.lag({"ajera.AxVec": 0}).delay_seconds == 3.0
    world.topics.append("ajera.AxVec", b"nonsense", milliseconds(NOON - timedelta(seconds=2)))
    assert world.lag({"ajera.AxVec": 1}).delay_seconds == 2.0


def test_a_topic_that_is_gone_makes_the_whole_unknown_and_never_zero(world: World) -> None:
    """It is named."""
    world.beat()
    world.topics.delete("ajera.AxProject")
    found = world.lag({"ajera.AxVec": 0})
    assert found.missing == ("ajera.AxProject",)
    assert (found.lag, found.delay_seconds, found.applied_until) == (None, None, None)
    assert found.state == GroupVerdict.UNKNOWN
    assert probe([found], 1e9) == ExitCode.ENVIRONMENT


def test_a_topic_that_was_made_anew_is_unknown_and_never_zero(world: World) -> None:
    """The next offset of the old one lies behind its end."""
    world.beat()
    found = world.lag({"ajera.AxVec": 3})
    assert (found.lag, found.delay_seconds, found.state) == (None, None, GroupVerdict.UNKNOWN)


def test_a_silent_source_has_no_known_delay_when_nothing_waits(world: World) -> None:
    """Its newest changes may not have been captured; three heartbeats may be missing."""
    world.beat()
    world.now += timedelta(seconds=15)
    assert world.lag({"ajera.AxVec": 0}).delay_seconds == 0.0
    world.now += timedelta(seconds=1)
    found = world.lag({"ajera.AxVec": 0})
    assert (found.lag, found.delay_seconds) == (0, None)
    assert found.sources[0].is_silent
    assert found.applied_until == NOON


def test_a_log_that_is_not_read_to_its_end_is_silent_though_heartbeats_come(world: World) -> None:
    """SQL Server's capture job stands still, or the row's table was taken out of the publication:
    the connector is alive and sees nothing new.
    """
    world.row()
    for _ in range(16):
        world.now += timedelta(seconds=1)
        world.beat()
    found = world.lag({"ajera.AxVec": 0})
    assert (found.sources[0].seen_seconds, found.sources[0].is_silent) == (16.0, True)
    assert found.delay_seconds is None
    world.row()
    assert world.lag({"ajera.AxVec": 0}).delay_seconds == 0.0


def test_a_source_that_was_never_seen_is_unknown(world: World) -> None:
    """No heartbeat, no change."""
    found = world.lag()
    assert (found.sources[0].seen_seconds, found.sources[0].is_silent) == (None, True)
    assert (found.delay_seconds, found.applied_until) == (None, None)


def test_a_group_that_never_ran_has_applied_nothing(world: World) -> None:
    """Also where nothing waits."""
    world.beat()
    found = world.lag(members=0)
    assert (found.state, found.delay_seconds, found.applied_until) == (
        GroupVerdict.NEVER_RAN,
        None,
        None,
    )


def test_what_retention_deleted_unread_is_counted(world: World) -> None:
    """It does not wait any more, and is no zero either."""
    for seconds in (9, 8, 7):
        world.commit(NOON - timedelta(seconds=seconds))
    world.topics.expire("ajera.AxVec", 2)
    found = world.lag({"ajera.AxVec": 0})
    assert (found.lag, found.lost, found.delay_seconds) == (1, 2, 7.0)


def test_how_long_retention_leaves_what_waits_is_known(world: World) -> None:
    """From when Kafka got the oldest; little is said when a quarter is left."""
    world.topics.retention_ms = 100_000
    world.commit(NOON - timedelta(seconds=90))
    found = world.lag({"ajera.AxVec": 0})
    assert (found.retention_left_seconds, found.is_expiring) == (50.0, False)
    world.now += timedelta(seconds=26)
    found = world.lag({"ajera.AxVec": 0})
    assert (found.retention_left_seconds, found.is_expiring) == (24.0, True)
    found = world.lag({"ajera.AxVec": 1})
    assert (found.retention_left_seconds, found.is_expiring) == (None, False)


@pytest.mark.parametrize(
    ("age", "moved", "members", "state"),
    [
        (30, 1, 1, GroupVerdict.OK),
        (90, 1, 1, GroupVerdict.WARN),
        (90, 70, 1, GroupVerdict.STALLED),
        (90, 70, 0, GroupVerdict.STOPPED),
    ],
)
def test_the_state_of_a_group_follows_from_its_delay_and_when_it_moved(
    world: World, age: int, moved: int, members: int, state: GroupVerdict
) -> None:
    """Late and moving is a warning, late and still is stalled, nobody there is stopped."""
    world.commit(NOON - timedelta(seconds=age))
    found = world.lag({"ajera.AxVec": 0}, members, NOON - timedelta(seconds=moved))
    assert found.state == state


@pytest.mark.parametrize(("committed", "stored", "rewound"), [(1, 3, 2), (3, 3, 0), (9, 3, 0)])
def test_a_group_that_was_set_back_is_rewound_and_starts_at_the_smaller_offset(
    world: World, committed: int, stored: int, rewound: int
) -> None:
    """A replay sets Kafka's offset back; a target that was restored has the smaller one itself, and
    what it lost counts as not applied.
    """
    for seconds in range(9, 0, -1):
        world.commit(NOON - timedelta(seconds=seconds))
    found = world.lag({"ajera.AxVec": committed}, 0, NOON, stored)
    start = min(committed, stored)
    assert (found.lag, found.rewound) == (9 - start, rewound)
    assert found.delay_seconds == 9.0 - start
    assert found.state == (GroupVerdict.REWOUND if rewound else GroupVerdict.STOPPED)


@how(deadline=None)  # the first example imports the decoder
@given(
    ages=st.lists(st.integers(0, 5000), max_size=8).map(lambda ages: sorted(ages, reverse=True)),
    applied=st.integers(0, 8),
    waited=st.integers(0, 5000),
)
def test_the_delay_is_that_of_the_oldest_unapplied_change_at_any_time(
    tmp_path_factory: pytest.TempPathFactory, ages: list[int], applied: int, waited: int
) -> None:
    """After a pause, in a replay, while nothing arrives: what counts is where the group stands."""
    settings = settings_in(tmp_path_factory.mktemp("lag"))
    world = World(route_named(settings, "pim"), source_of(settings, "ajera"))
    for topic in (*world.route.topics, HEARTBEAT):
        world.topics.create(topic)
    for age in ages:
        world.commit(NOON - timedelta(seconds=age))
    world.now += timedelta(seconds=waited)
    world.beat()
    at = min(applied, len(ages))
    found = world.lag({"ajera.AxVec": at})
    truth = float(ages[at] + waited) if at < len(ages) else 0.0
    assert (found.lag, found.delay_seconds) == (len(ages) - at, truth)
