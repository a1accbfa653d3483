"""Killed processes, and members that come and go."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import tomli_w

from deploy.demo.consumers import Consumer, running
from deploy.faults.firm import Firm, raw_settings
from deploy.faults.runner import POINTS
from deploy.faults.verdict import (
    Verdict,
    consumers,
    firm_of,
    judge,
    settle,
    wait,
    wait_quiet,
)
from deploy.local.stack import Stack

UNTIL_KILLED_SECONDS = 30.0


def killed(stack: Stack, seed: int, times: int) -> Iterator[Verdict]:
    """SIGKILL at each point of a batch, so many times; after each a fresh process goes on."""
    for point in POINTS:
        verdict = Verdict(f"SIGKILL {point}")
        instance = {"group.instance.id": "one", "session.timeout.ms": "6000", "heartbeat.interval.ms": "1000"}
        # A static member: the next process takes its place at once.
        for firm in firm_of(stack, "kill", seed, kafka={"client": instance}):
            rng = random.Random(f"{point} {seed}")
            for _ in range(times):
                firm.edit(30)
                firm.flush()
                count = rng.randint(1, 8) if point == "after decode" else 1
                verdict.tried += _run_until_killed(firm, point, count, verdict)
            settle(firm)
            judge(firm, verdict)
        yield verdict


def _run_until_killed(firm: Firm, point: str, count: int, verdict: Verdict) -> bool:
    log = firm.stack.logs / f"{firm.name}.log"
    with log.open("ab") as output:
        command = [sys.executable, "-m", "deploy.faults.runner", "--config", str(firm.config)]
        process = subprocess.Popen([*command, "--point", point, "--count", str(count)], stdout=output, stderr=output)
    try:
        process.wait(UNTIL_KILLED_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        process.wait(UNTIL_KILLED_SECONDS)
    if process.returncode != -signal.SIGKILL:
        verdict.fail(f"ended with {process.returncode}: {log.read_text(errors='replace')[-600:]}")
    return process.returncode == -signal.SIGKILL


# -- members --------------------------------------------------------------------------------------------------------------


def members_come_and_go(stack: Stack, seed: int, times: int, protocol: str) -> Iterator[Verdict]:
    """Consumers join, leave by SIGTERM and die by SIGKILL under load."""
    verdict, rng = Verdict(f"members join and leave ({protocol})"), random.Random(seed)
    changed = {"group_protocol": protocol}
    if protocol == "consumer":
        changed["client"] = {}  # type: ignore[assignment]
    for firm in firm_of(stack, "members", seed, kafka=changed):
        with consumers(firm) as always:
            for _ in range(times):
                with consumers(firm) as guests:
                    firm.edit(40)
                    firm.flush()
                    wait(lambda guest=guests[0]: _is_ready(guest), "the guest has joined")  # type: ignore[misc]
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
        return httpx.get(f"{consumer.address}/ready", timeout=2).status_code == httpx.codes.OK
    return False


def two_groups(stack: Stack, seed: int) -> Iterator[Verdict]:
    """Two consumers started by mistake on the same partitions, under two groups: the guards make it harmless."""
    verdict = Verdict("two groups on one target")
    for firm in firm_of(stack, "twice", seed):
        other = json.loads(json.dumps(raw_settings(stack, firm.name, firm.pim_url)))
        other["kafka"]["group"] = f"{firm.name}-again"
        path = firm.config.with_suffix(".again.toml")
        path.write_text(tomli_w.dumps(other))
        logs = stack.logs / f"{firm.name}-again"
        logs.mkdir()
        with consumers(firm) as one, running(path, logs, 1):
            for _ in range(10):
                firm.edit(40)
                firm.flush()
                time.sleep(0.2)
            wait_quiet(firm, one)
            verdict.tried += 1
        settle(firm)
        judge(firm, verdict)
    yield verdict
