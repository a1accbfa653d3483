"""The members of one process end together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from pipeline.errors import SchemaLost
from pipeline.operations.run import run_members
from pipeline.telemetry.health import Health
from pipeline.telemetry.prometheus import PrometheusTelemetry
from pipeline.wiring.identity import consumer_id

DEADLINE = 10.0


def test_a_stop_ends_every_member() -> None:
    """Each is asked what the process is asked."""
    stop, begun, ended = threading.Event(), threading.Barrier(3), list[int]()

    def run(number: int, ending: Callable[[], bool]) -> None:
        begun.wait(DEADLINE)
        assert stop.wait(DEADLINE)
        assert ending()
        ended.append(number)

    def stopped() -> None:
        begun.wait(DEADLINE)
        stop.set()

    person = threading.Thread(target=stopped)
    person.start()
    run_members(2, run, stop.is_set)
    person.join()
    assert sorted(ended) == [1, 2]


def test_an_error_of_one_member_ends_the_others_and_is_raised() -> None:
    """Nobody goes on with a part of the partitions while the process looks alive."""
    others = list[int]()

    def run(number: int, ending: Callable[[], bool]) -> None:
        if number == 2:
            raise SchemaLost("gone")
        latest = time.monotonic() + DEADLINE
        while not ending():
            assert time.monotonic() < latest
        others.append(number)

    with pytest.raises(SchemaLost, match="gone"):
        run_members(3, run, lambda: False)
    assert sorted(others) == [1, 3]


def test_one_member_runs_in_the_thread_of_its_process() -> None:
    """As a process that knows of no members."""
    threads = list[threading.Thread]()
    run_members(1, lambda *_: threads.append(threading.current_thread()), lambda: False)
    assert threads == [threading.current_thread()]


def test_members_have_names_of_their_own_and_partitions_in_common() -> None:
    """The first is named as its process; the metric is of all."""
    assert consumer_id("g", 1) == consumer_id("g")
    assert consumer_id("g", 2) == f"{consumer_id('g')}-2"
    telemetry = PrometheusTelemetry(Health())
    telemetry.assigned(3, 1)
    telemetry.assigned(2, 2)
    telemetry.assigned(1, 1)
    assert telemetry.registry.get_sample_value("pipeline_assigned_partitions") == 3
