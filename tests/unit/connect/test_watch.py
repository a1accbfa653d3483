"""The watcher of connectors, on a Connect in memory and a clock that the test moves."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from pipeline.connect.watch import STEADY_SECONDS, Watcher
from pipeline.telemetry.health import Health
from pipeline.telemetry.prometheus import PrometheusTelemetry
from tests.twins.connectors import ConnectTwin

AWAY = "Caused by: java.net.ConnectException: Connection refused at io.apicurio.rest.client"
WRONG_PASSWORD = "FATAL: password authentication failed for user x"
LOST = "replication slot x has been invalidated"
STEP = 5.0


class Watched:
    """A watcher of connectors that run, what it reports, and the time."""

    def __init__(self, *names: str, jitter: float = 0.0) -> None:
        self.connect = ConnectTwin(dict.fromkeys(names, ""))
        self.health = Health()
        self.telemetry = PrometheusTelemetry(self.health)
        self.now = 0.0
        self.watcher = Watcher(
            names, self.connect, self.telemetry, 10.0, 300.0, jitter=lambda: jitter
        )
        self.watcher.step(self.now)

    def passes(self, seconds: float) -> None:
        """So much time, with a look every few seconds."""
        until = self.now + seconds
        while self.now < until:
            self.now += STEP
            self.watcher.step(self.now)

    def restarts(self, count: int) -> Iterator[float]:
        """The seconds before each of the next so many restarts."""
        for _ in range(count):
            begun, before = self.now, len(self.connect.restarted)
            while len(self.connect.restarted) == before:
                self.passes(STEP)
            yield self.now - begun

    def metric(self, name: str, connector: str) -> float | None:
        return self.telemetry.registry.get_sample_value(name, {"connector": connector})

    @property
    def reasons(self) -> str:
        return " ".join(self.health.report()[1].values())


def test_a_task_that_failed_is_restarted_after_the_first_pause_and_health_comes_back() -> None:
    """Not at once: the registry was just away."""
    watched = Watched("ajera")
    assert watched.health.report()[0] == "ok"
    watched.connect.fail("ajera", AWAY)
    watched.passes(STEP)
    assert watched.health.report()[0] == "degraded"
    assert "registry" in watched.reasons
    assert watched.connect.restarted == []
    watched.passes(10.0)
    assert watched.connect.restarted == ["ajera"]
    watched.passes(STEP)
    assert watched.health.report() == ("ok", {})
    assert watched.metric("pipeline_connector_running_state", "ajera") == 1
    assert watched.metric("pipeline_connector_restarts_total", "ajera") == 1


def test_the_pause_doubles_up_to_the_longest_and_the_restarts_never_end() -> None:
    """10, 20, 40, ... 300 seconds, each seen by a look every five."""
    watched = Watched("ajera")
    watched.connect.fail("ajera", AWAY, for_good=True)
    pauses = list(watched.restarts(9))
    for pause, wanted in zip(pauses, [10, 20, 40, 80, 160, 300, 300, 300, 300], strict=True):
        assert wanted <= pause <= wanted + 2 * STEP
    watched.connect.mend("ajera")
    list(watched.restarts(1))
    watched.passes(STEP)
    assert watched.health.report()[0] == "ok"


def test_the_pause_begins_anew_only_after_the_connector_ran_steadily() -> None:
    """One that fails soon after each restart is not well."""
    watched = Watched("ajera")
    for wanted in (10.0, 20.0):
        watched.connect.fail("ajera", AWAY)
        (pause,) = watched.restarts(1)
        assert wanted <= pause <= wanted + 2 * STEP
        watched.passes(STEADY_SECONDS / 2)
    watched.passes(STEADY_SECONDS)
    watched.connect.fail("ajera", AWAY)
    (pause,) = watched.restarts(1)
    assert pause <= 10.0 + 2 * STEP


@pytest.mark.parametrize(
    ("trace", "command"),
    [(WRONG_PASSWORD, "connectors apply"), (LOST, "connectors remove")],
)
def test_what_no_restart_heals_is_tried_at_the_longest_pause_and_says_what_to_type(
    trace: str, command: str
) -> None:
    """A person may have corrected it; asking every ten seconds would lock a user out."""
    watched = Watched("ajera")
    watched.connect.fail("ajera", trace, for_good=True)
    for pause in watched.restarts(2):
        assert pause >= 300.0
    assert command in watched.reasons
    assert watched.health.report()[0] == "degraded"


def test_several_watchers_do_not_restart_at_the_same_moment() -> None:
    """The jitter moves the pause, and never makes it shorter."""
    watched = Watched("ajera", jitter=1.0)
    watched.connect.fail("ajera", AWAY)
    (pause,) = watched.restarts(1)
    assert 15.0 <= pause <= 15.0 + 2 * STEP


def test_what_somebody_else_restarted_is_left_alone() -> None:
    """Another consumer's watcher, or a person, was quicker."""
    watched = Watched("ajera")
    watched.connect.fail("ajera", AWAY)
    watched.passes(STEP)
    watched.connect.restart("ajera")
    watched.passes(60.0)
    assert watched.connect.restarted == ["ajera"]
    assert watched.health.report()[0] == "ok"


@pytest.mark.parametrize("state", ["PAUSED", "STOPPED"])
def test_a_connector_that_somebody_holds_is_told_and_never_restarted(state: str) -> None:
    """He meant it."""
    watched = Watched("ajera")
    watched.connect.states["ajera"] = state
    watched.passes(600.0)
    assert watched.connect.restarted == []
    assert "connectors resume" in watched.reasons
    assert watched.metric("pipeline_connector_running_state", "ajera") == 0


def test_a_connect_that_does_not_answer_is_unknown_and_neither_running_nor_failed() -> None:
    """And what was due is due again afterwards, not forgotten."""
    watched = Watched("ajera", "dps")
    watched.connect.is_away = True
    watched.passes(STEP)
    for name in ("ajera", "dps"):
        assert math.isnan(watched.metric("pipeline_connector_running_state", name) or 0.0)
    assert "environment.unreachable" in watched.reasons
    watched.connect.is_away = False
    watched.connect.fail("dps", AWAY)
    watched.passes(20.0)
    assert watched.connect.restarted == ["dps"]
    watched.passes(STEP)
    assert watched.health.report()[0] == "ok"


def test_a_connector_that_nobody_applied_is_told_with_the_command() -> None:
    """It is not restarted: there is none."""
    watched = Watched()
    watched.watcher = Watcher(
        ["ajera"], watched.connect, watched.telemetry, 10.0, 300.0, jitter=lambda: 0.0
    )
    watched.passes(60.0)
    assert "connectors apply" in watched.reasons
    assert watched.connect.restarted == []


def test_a_failure_of_one_connector_does_not_keep_another_from_being_watched() -> None:
    """Each has a pause of its own."""
    watched = Watched("ajera", "dps")
    watched.connect.fail("ajera", WRONG_PASSWORD, for_good=True)
    watched.connect.fail("dps", AWAY)
    watched.passes(20.0)
    assert watched.connect.restarted == ["dps"]
