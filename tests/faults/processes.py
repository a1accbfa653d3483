"""Killed processes, and members that come and go."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import tomli_w

from deploy.demo.consumers import Consumer, ask, running
from deploy.local.stack import Stack
from pipeline.kafka.admin import KafkaAdmin
from pipeline.model.position import TopicPartition
from tests.faults.firm import Firm, raw_settings, through
from tests.faults.proxy import Mode, Proxy
from tests.faults.runner import POINTS
from tests.faults.verdict import (
    PROGRAM,
    Verdict,
    consumers,
    firm_of,
    health,
    judge,
    settle,
    wait,
    wait_quiet,
)

UNTIL_KILLED_SECONDS = 90.0  # beside whatever else runs
DRAIN_SECONDS = 15.0
# Which of so many passes it may be, where a batch passes a point more than once.
PASSES = {"after decode": 2, "before a transaction": 8}
AT_THE_END = "in the revoke callback"
# A static member: the next process takes its place at once.
ONE_MEMBER = {
    "group.instance.id": "one",
    "session.timeout.ms": "6000",
    "heartbeat.interval.ms": "1000",
}


def killed(stack: Stack, seed: int, times: int) -> Iterator[Verdict]:
    """SIGKILL at each point of a batch, so many times; after each a fresh process goes on. Half of
    them have two members.
    """
    for point in POINTS:
        verdict, rng = (
            Verdict(f"SIGKILL {point}"),
            random.Random(f"{point} {seed}"),
        )
        for firm in firm_of(stack, "kill", seed, kafka={"client": ONE_MEMBER}):
            settle(firm)
            for config in _of_members(firm, times):
                firm.edit(30)
                firm.grow(3)
                firm.flush()
                count = rng.randint(1, PASSES.get(point, 1))
                verdict.tried += _run_until_killed(firm, config, point, count, verdict)
            settle(firm)
            judge(firm, verdict)
        yield verdict


def killed_in_turn(stack: Stack, seed: int, times: int) -> Iterator[Verdict]:
    """One firm whose process is killed and started again and again: at every point so many times,
    in a random order. Half of them have two members.
    """
    verdict, rng = Verdict("SIGKILL in random order"), random.Random(seed)
    points = list(POINTS) * times
    rng.shuffle(points)
    for firm in firm_of(stack, "turn", seed, kafka={"client": ONE_MEMBER}):
        settle(firm)
        for config, point in zip(_of_members(firm, len(points)), points, strict=True):
            firm.edit(rng.randint(30, 100))
            firm.grow(3)
            firm.flush()
            count = rng.randint(1, PASSES.get(point, 1))
            verdict.tried += _run_until_killed(firm, config, point, count, verdict)
        settle(firm)
        judge(firm, verdict)
    yield verdict


def _of_members(firm: Firm, times: int) -> list[Path]:
    """Settings for so many processes: of one member, then of two, where one dies while the other
    works. Not in turns: a member that nobody takes the place of keeps its partitions for a while.
    """
    raw = tomllib.loads(firm.config.read_text())
    raw["run"]["members"] = 2
    two = firm.config.with_suffix(".two.toml")
    two.write_text(tomli_w.dumps(raw))
    return [firm.config if number < times // 2 else two for number in range(times)]


def _run_until_killed(firm: Firm, config: Path, point: str, count: int, verdict: Verdict) -> bool:
    return run_until_killed(config, point, count, verdict, is_done=firm.is_quiet)


def run_until_killed(
    config: Path,
    point: str,
    count: int,
    verdict: Verdict,
    is_done: Callable[[], bool],
) -> bool:
    """A consumer that ends itself; at its end, once the work is done, it is told to end.
    Did SIGKILL end it.
    """
    log = config.with_suffix(".log")
    with log.open("ab") as output:
        command = [
            sys.executable,
            "-m",
            "tests.faults.runner",
            "--config",
            str(config),
        ]
        process = subprocess.Popen(
            [*command, "--point", point, "--count", str(count)],
            stdout=output,
            stderr=output,
        )
    if point == AT_THE_END:
        wait(
            lambda: process.poll() is not None or is_done(),
            "the batch is handled",
        )
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(UNTIL_KILLED_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        process.wait(UNTIL_KILLED_SECONDS)
    if process.returncode != -signal.SIGKILL:
        handled = "everything was handled" if is_done() else "not everything was handled"
        verdict.fail(
            f"ended with {process.returncode} {point}, {handled}: "
            f"{log.read_text(errors='replace')[-600:]}"
        )
    return process.returncode == -signal.SIGKILL


# -- an orderly end --------------------------------------------------------------------------------


def drained(stack: Stack, seed: int, times: int) -> Iterator[Verdict]:
    """SIGTERM in the middle of a backlog: the end comes within 15 seconds, in order,
    with everything in hand committed.
    """
    verdict, rng = (
        Verdict("SIGTERM in the middle of a backlog"),
        random.Random(seed),
    )
    for firm in firm_of(stack, "drained", seed):
        for _ in range(times):
            firm.edit(4_000)
            firm.flush()
            with consumers(firm) as members:
                wait(
                    lambda member=members[0]: _is_ready(member),  # type: ignore[misc]
                    "the consumer has joined",
                )
                time.sleep(rng.random())
                _end(members[0], verdict)
            if not _next_offsets_agree(firm):
                verdict.fail("the offsets in Kafka are not those in sync")
        settle(firm)
        judge(firm, verdict)
    yield verdict


def drained_without_database(stack: Stack, seed: int) -> Iterator[Verdict]:
    """SIGTERM while a batch waits for a database that is away: it is abandoned,
    the end comes in time, nothing is lost.
    """
    verdict = Verdict("SIGTERM while the database is away")
    for firm in firm_of(stack, "waiting", seed):
        with Proxy(stack.postgres_port, seed) as proxy:
            text = firm.config.read_text()
            firm.config.write_text(through(text, stack, proxy.port))
            with consumers(firm) as members:
                wait_quiet(firm, members)
                proxy.mode = Mode.REFUSE
                firm.edit(50)
                firm.flush()
                wait(
                    lambda: "degraded" in health(members[0]),
                    "health says degraded",
                )
                _end(members[0], verdict)
            firm.config.write_text(text)
        settle(firm)
        judge(firm, verdict)
    yield verdict


def started_without_database(stack: Stack, seed: int) -> Iterator[Verdict]:
    """A consumer begins while the database is away: it waits, says so, and goes on;
    or it is stopped, in time and in order.
    """
    verdict = Verdict("started while the database is away")
    for firm in firm_of(stack, "early", seed):
        with Proxy(stack.postgres_port, seed) as proxy:
            proxy.mode = Mode.REFUSE
            text = firm.config.read_text()
            firm.config.write_text(through(text, stack, proxy.port))
            with consumers(firm) as members:
                wait(
                    lambda: "environment.unreachable" in health(members[0]),
                    "health says degraded",
                )
                _end(members[0], verdict)
            with consumers(firm) as members:
                wait(
                    lambda: "environment.unreachable" in health(members[0]),
                    "health says degraded",
                )
                firm.edit(50)
                firm.flush()
                proxy.mode = Mode.PASS
                wait_quiet(firm, members)
                wait(lambda: '"ok"' in health(members[0]), "health says ok")
                verdict.tried += 1
        judge(firm, verdict)
    yield verdict


def drained_without_broker(stack: Stack, seed: int) -> Iterator[Verdict]:
    """SIGTERM while no broker answers: nothing can be committed, the end comes in time,
    nothing is lost.
    """
    verdict = Verdict("SIGTERM while the broker is away")
    for firm in firm_of(stack, "brokerless", seed):
        with consumers(firm) as members:
            wait_quiet(firm, members)
            stack.kill_part("kafka")
            try:
                wait(
                    lambda: "degraded" in health(members[0]),
                    "health says degraded",
                )
                _end(members[0], verdict)
            finally:
                stack.start_part("kafka")
        settle(firm)
        judge(firm, verdict)
    yield verdict


def _end(member: Consumer, verdict: Verdict) -> None:
    member.process.send_signal(signal.SIGTERM)
    started = time.monotonic()
    try:
        code = member.process.wait(DRAIN_SECONDS)
    except subprocess.TimeoutExpired:
        verdict.fail(f"still there {DRAIN_SECONDS:.0f} s after SIGTERM")
        return
    verdict.tried += 1
    verdict.remarks.append(f"{time.monotonic() - started:.1f} s")
    if code != 0:
        verdict.fail(f"exit code {code}")


def _next_offsets_agree(firm: Firm) -> bool:
    stored = {
        TopicPartition(topic, partition): offset
        for topic, partition, offset in firm.pim.execute(
            "SELECT topic, partition, next_offset FROM sync.progress WHERE next_offset > 0"
        )
    }
    admin = KafkaAdmin(firm.stack.bootstrap, {})
    committed = admin.committed(firm.name, {one.topic for one in stored})
    admin.close()
    return committed == stored


# -- members ---------------------------------------------------------------------------------------


def members_come_and_go(stack: Stack, seed: int, times: int, protocol: str) -> Iterator[Verdict]:
    """Consumers join, leave by SIGTERM and die by SIGKILL under load."""
    verdict, rng = (
        Verdict(f"members join and leave ({protocol})"),
        random.Random(seed),
    )
    changed = {"group_protocol": protocol}
    if protocol == "consumer":
        changed["client"] = {}  # type: ignore[assignment]
    for firm in firm_of(stack, "members", seed, kafka=changed):
        with consumers(firm) as always:
            for _ in range(times):
                with consumers(firm) as guests:
                    firm.edit(40)
                    firm.flush()
                    wait(
                        lambda guest=guests[0]: _is_ready(guest),  # type: ignore[misc]
                        "the guest has joined",
                    )
                    firm.edit(40)
                    firm.flush()
                    if rng.random() < 0.5:
                        guests[0].process.kill()
                        guests[0].process.wait(10)
                verdict.tried += 1
            wait_quiet(firm, always)
        judge(firm, verdict)
    yield verdict


def _is_ready(consumer: Consumer) -> bool:
    with suppress(httpx.HTTPError):
        return ask(f"{consumer.address}/ready").status_code == httpx.codes.OK
    return False


def two_groups(stack: Stack, seed: int) -> Iterator[Verdict]:
    """Two consumers started by mistake on the same partitions, under two groups:
    the guards make it harmless.
    """
    verdict = Verdict("two groups on one target")
    for firm in firm_of(stack, "twice", seed):
        other = json.loads(json.dumps(raw_settings(stack, firm.name, firm.pim_url)))
        other["routes"]["pim"]["group"] = f"{firm.name}-again"
        path = firm.config.with_suffix(".again.toml")
        path.write_text(tomli_w.dumps(other))
        logs = stack.logs / f"{firm.name}-again"
        logs.mkdir()
        with consumers(firm) as one, running(path, logs, 1, program=PROGRAM):
            for _ in range(10):
                firm.edit(40)
                firm.flush()
                time.sleep(0.2)
            wait_quiet(firm, one)
            verdict.tried += 1
        settle(firm)
        judge(firm, verdict)
    yield verdict
