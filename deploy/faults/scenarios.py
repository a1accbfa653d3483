"""Each fault as a function: bring it about under load, heal it, wait until all is quiet, and judge."""

from __future__ import annotations

import json
import random
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import tomli_w
from psycopg import sql

from deploy.demo.consumers import Consumer, running
from deploy.faults import audit
from deploy.faults.firm import Firm, founded, raw_settings
from deploy.faults.proxy import Mode, Proxy
from deploy.faults.registry import Illness, SickRegistry
from deploy.faults.runner import POINTS
from deploy.local.stack import Stack

QUIET_SECONDS = 60.0
UNTIL_KILLED_SECONDS = 30.0


@dataclass
class Verdict:
    """What came of one fault. Everything but `tried` and `remarks` must be 0."""

    fault: str
    tried: int = 0
    lost: int = 0
    wrong: int = 0
    repeated: int = 0
    backwards: int = 0
    parked: int = 0
    dead: int = 0
    other: int = 0
    remarks: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        counts = (self.lost, self.wrong, self.repeated, self.backwards, self.parked, self.dead, self.other)
        return self.tried > 0 and not any(counts)

    def fail(self, remark: str) -> None:
        """Something that no other count tells."""
        self.other += 1
        self.remarks.append(remark)


class NotReached(AssertionError):
    """What should have come about did not, in time."""


def wait(reached: Callable[[], object], what: str, seconds: float = QUIET_SECONDS) -> None:
    """Raises NotReached."""
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            raise NotReached(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)


def judge(firm: Firm, verdict: Verdict, *, dead: int = 0) -> None:
    """Count what is not as it should be; `dead` dead letters are right."""
    verdict.lost += firm.lost()
    verdict.wrong += firm.wrong()
    log = audit.writes(firm.pim)
    verdict.repeated += audit.repeated(log)
    verdict.backwards += audit.backwards(log)
    verdict.parked += firm.waiting()
    verdict.dead += abs(firm.dead_letters() - dead)


@contextmanager
def consumers(firm: Firm, count: int = 1) -> Iterator[list[Consumer]]:
    logs = firm.stack.logs / firm.name / str(time.monotonic_ns())
    logs.mkdir(parents=True)
    with running(firm.config, logs, count) as members:
        yield members


def settle(firm: Firm) -> None:
    """A healthy consumer finishes what is left. One more edit stands for the heartbeat that a connector would send."""
    firm.edit(1)
    firm.flush()
    with consumers(firm) as members:
        wait_quiet(firm, members)


def wait_quiet(firm: Firm, members: list[Consumer]) -> None:
    try:
        wait(firm.is_quiet, "quiet")
    except NotReached as error:
        raise NotReached(f"{error}\n{members[-1].tail()}") from None


def firm_of(stack: Stack, name: str, seed: int, **changed: Any) -> Iterator[Firm]:
    yield from founded(stack, f"{name}-{seed}-{time.monotonic_ns() % 100_000}", seed, **changed)


# -- killed processes -----------------------------------------------------------------------------------------------------


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


# -- services -------------------------------------------------------------------------------------------------------------


def database_proxied(stack: Stack, seed: int, times: int) -> Iterator[Verdict]:
    """The target behind a proxy that refuses, halves and delays: it waits, says degraded, stays a member, and goes on."""
    for mode in (Mode.REFUSE, Mode.HALVE, Mode.DELAY):
        verdict = Verdict(f"database: {mode.value}")
        for firm in firm_of(stack, "proxy", seed):
            with Proxy(stack.postgres_port, seed) as proxy:
                _change_database(firm, proxy.port)
                with consumers(firm) as members:
                    wait_quiet(firm, members)
                    for _ in range(times):
                        proxy.mode = mode
                        firm.edit(50)
                        firm.flush()
                        if mode is Mode.REFUSE:
                            wait(lambda m=members[0]: "degraded" in _health(m), "health says degraded")  # type: ignore[misc]
                        else:
                            time.sleep(1.5)
                        proxy.mode = Mode.PASS
                        wait_quiet(firm, members)
                        verdict.tried += 1
                    wait(lambda m=members[0]: '"ok"' in _health(m), "health says ok again")  # type: ignore[misc]
                    if _assignments(members[0]) != 1:
                        verdict.fail(f"evicted from its group: {_assignments(members[0])} assignments")
            judge(firm, verdict)
        yield verdict


def _change_database(firm: Firm, port: int) -> None:
    text = firm.config.read_text()
    firm.config.write_text(text.replace(f":{firm.stack.postgres_port}/", f":{port}/"))


def _health(consumer: Consumer) -> str:
    with suppress(httpx.HTTPError):
        return httpx.get(f"{consumer.address}/health", timeout=2).text
    return ""


def _assignments(consumer: Consumer) -> int:
    return sum(line.count('"partitions assigned"') for line in consumer.log_lines())


def connections_ended(stack: Stack, seed: int, times: int) -> Iterator[Verdict]:
    """The server ends idle connections, turns read-only, and makes deadlock victims of our transactions."""
    verdict = Verdict("connections ended, read-only, locks held")
    for firm in firm_of(stack, "ended", seed):
        name = firm.pim_url.rsplit("/", 1)[1]
        with (
            consumers(firm) as members,
            psycopg.connect(firm.pim_url.replace("+psycopg", ""), autocommit=True) as other,
        ):
            for _ in range(times):
                wait_quiet(firm, members)
                query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND application_name = 'ajera-cdc'"
                other.execute(query, [name])
                firm.edit(30)
                firm.flush()
                wait_quiet(firm, members)
                _read_only(other, name, on=True)
                firm.edit(30)
                firm.flush()
                time.sleep(0.7)
                _read_only(other, name, on=False)
                _hold_rows_backwards(firm, other)
                verdict.tried += 3
            wait_quiet(firm, members)
        judge(firm, verdict)
    yield verdict


def _read_only(connection: psycopg.Connection, database: str, *, on: bool) -> None:
    """For new sessions; those that are there are ended, so that all are new."""
    word = "on" if on else "off"
    connection.execute("SET default_transaction_read_only = off")
    statement = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
    connection.execute(statement.format(sql.Identifier(database), sql.SQL(word)))
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND application_name = 'ajera-cdc'",
        [database],
    )


def _hold_rows_backwards(firm: Firm, connection: psycopg.Connection) -> None:
    """Lock PIM rows in the opposite order, slowly, while ours are being written: somebody becomes a deadlock's victim."""
    firm.edit(60)
    firm.flush()
    keys = [f"cl-{key}" for key in sorted(firm.names, key=str, reverse=True)]
    with suppress(psycopg.errors.DeadlockDetected), connection.transaction():
        for key in keys:
            connection.execute('SELECT 1 FROM "Organization" WHERE "Organization ID" = %s FOR UPDATE', [key])
            time.sleep(0.01)


def registry_sick(stack: Stack, seed: int) -> Iterator[Verdict]:
    """Each illness while a fresh consumer needs a schema: nothing is parked or set aside, and it goes on when healed."""
    for illness in Illness:
        if illness is Illness.NONE:
            continue
        verdict = Verdict(f"registry: {illness.value}")
        with SickRegistry(stack.registry) as registry:
            for firm in firm_of(stack, "registry", seed, registry={"url": registry.url}):
                registry.illness = illness
                with consumers(firm) as members:
                    wait(lambda m=members[0]: "degraded" in _health(m), f"degraded by {illness.value}")  # type: ignore[misc]
                    firm.edit(20)
                    firm.flush()
                    registry.illness = Illness.NONE
                    wait_quiet(firm, members)
                    verdict.tried += 1
                judge(firm, verdict)
        yield verdict


def schema_lost(stack: Stack, seed: int) -> Iterator[Verdict]:
    """An id that the registry does not know for longer than stated halts its partition; it is never a dead letter."""
    verdict = Verdict("registry: id unknown for good")
    for firm in firm_of(stack, "unknown", seed, registry={"unknown_seconds": 2.0}):
        settle(firm)
        firm.topics["AxVec"].send_raw(b'{"vecKey":1}', b"\0" + struct.pack(">i", 9_999) + b"x")
        firm.flush()
        with consumers(firm) as members:
            wait(lambda: "registry.lost" in _health(members[0]), "the partition halts")
            verdict.tried += 1
        judge(firm, verdict)
    yield verdict


def broker_restarted(stack: Stack, seed: int, times: int) -> Iterator[Verdict]:
    """The broker goes, cleanly and by SIGKILL, and comes back, under load."""
    verdict = Verdict("broker restarted")
    for firm in firm_of(stack, "broker", seed):
        with consumers(firm) as members:
            for number in range(times):
                firm.edit(50)
                (stack.stop_part if number % 2 else stack.kill_part)("kafka")
                time.sleep(1)
                stack.start_part("kafka")
                firm.flush()
                wait_quiet(firm, members)
                verdict.tried += 1
        judge(firm, verdict)
    yield verdict


# -- messages -------------------------------------------------------------------------------------------------------------


def spoiled(rng: random.Random, schema_id: int) -> bytes:
    """Bytes that no schema gives: truncated, another magic, wrong unions, huge lengths, halves of letters, noise."""
    header = b"\0" + struct.pack(">i", schema_id)
    match rng.randrange(6):
        case 0:
            return header[: rng.randrange(1, 5)]
        case 1:
            return bytes([rng.randrange(1, 256)]) + header[1:] + rng.randbytes(30)
        case 2:
            return header + b"\x02" + b"\x7e" * rng.randrange(1, 40)
        case 3:
            return header + b"\x02\x02" + b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" + rng.randbytes(20)
        case 4:
            return header + b"\x02\x02\x06\xed\xa0\x80" + rng.randbytes(40)
        case _:
            return header + rng.randbytes(rng.randrange(60))


def malformed(stack: Stack, seed: int, count: int) -> Iterator[Verdict]:
    """Spoiled messages among good ones, fewer than the circuit allows: each is set aside, every good one is applied."""
    verdict, rng = Verdict("malformed messages among good ones"), random.Random(seed)
    limits = {"dead_letters_in_a_row": 1_000, "dead_letter_share": 1.0, "batch_size": 2_000}
    for firm in firm_of(stack, "malformed", seed, run=limits):
        schema_id = firm.topics["AxVec"].schema_id
        sent = 0
        while sent < count:
            batch = min(rng.randint(1, 50), count - sent)
            for _ in range(batch):
                firm.topics["AxVec"].send_raw(b'{"vecKey":%d}' % rng.randint(1, 40), spoiled(rng, schema_id))
            sent += batch
            firm.sent += batch
            firm.edit(3)
        firm.flush()
        with consumers(firm) as members:
            wait(firm.is_quiet, "quiet", QUIET_SECONDS + count / 100)
            verdict.tried += sent
            members[0].check()
        judge(firm, verdict, dead=sent)
    yield verdict


def circuit_opens(stack: Stack, seed: int) -> Iterator[Verdict]:
    """A topic of nothing but spoiled messages halts after the limit, and a restart does not set another 20 aside."""
    verdict, rng = Verdict("circuit: a drained topic halts"), random.Random(seed)
    for firm in firm_of(stack, "circuit", seed, kafka={"partitions": 1}):
        settle(firm)
        for _ in range(100):
            firm.topics["AxVec"].send_raw(b'{"vecKey":1}', b"\1" + rng.randbytes(20))
        firm.flush()
        for _ in range(3):
            with consumers(firm) as members:
                wait(lambda: "kafka.circuit_open" in _health(members[0]), "the circuit opens")
                verdict.tried += 1
        judge(firm, verdict, dead=20)
    yield verdict


def row_to_blame(stack: Stack, seed: int) -> Iterator[Verdict]:
    """Rows that PIM rejects for a constraint we do not know: they alone wait, the rest is written, and they heal."""
    verdict = Verdict("rows rejected by PIM are narrowed to")
    for firm in firm_of(stack, "narrow", seed):
        firm.pim.execute(
            "ALTER TABLE \"Organization\" ADD CONSTRAINT theirs CHECK (\"Organization ID\" NOT IN ('cl-7', 'cl-21'))"
        )
        firm.edit(100)
        firm.flush()
        with consumers(firm) as members:
            wait_quiet(firm, members)
            waiting = firm.pim.execute(
                "SELECT key, code FROM sync.due WHERE reason IS NOT NULL ORDER BY key"
            ).fetchall()
            if waiting != [("21", "target.rejected"), ("7", "target.rejected")]:
                verdict.fail(f"waits: {waiting}")
            if firm.lost() != 2:
                verdict.fail(f"{firm.lost()} organizations are not right, 2 should not be")
            firm.pim.execute('ALTER TABLE "Organization" DROP CONSTRAINT theirs')
            for key in (7, 21):
                firm.rename(key, "u")
            firm.flush()
            wait_quiet(firm, members)
            verdict.tried += 2
        judge(firm, verdict)
    yield verdict


def wrong_ground(stack: Stack, seed: int) -> Iterator[Verdict]:
    """A topic that got more partitions, and a source that was restored from a backup: both halt, and say what to do."""
    verdict = Verdict("wrong ground halts")
    for firm in firm_of(stack, "grown", seed):
        settle(firm)
        _grow(firm)
        verdict.tried += _halts(firm, "kafka.partitions", verdict)
        judge(firm, verdict)
    for firm in firm_of(stack, "rewound", seed):
        settle(firm)
        kept, firm.number = firm.number, 1
        firm.topics["AxVec"].send([firm.late("u")])
        firm.number = kept
        verdict.tried += _halts(firm, "source.rewound", verdict)
        judge(firm, verdict)
    yield verdict


def _grow(firm: Firm) -> None:
    from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]

    admin = AdminClient({"bootstrap.servers": firm.stack.bootstrap})
    for future in admin.create_partitions([NewPartitions(f"{firm.name}.AxVec", 6)]).values():
        future.result(10)


def _halts(firm: Firm, code: str, verdict: Verdict) -> bool:
    """Does a consumer halt a partition, or end, with this code."""
    logs = firm.stack.logs / firm.name / code
    logs.mkdir(parents=True)
    with running(firm.config, logs, 1) as members:
        try:
            wait(lambda: code in members[0].tail(), code, 30)
        except NotReached as error:
            verdict.fail(f"{error}: {members[0].tail()[-400:]}")
            return False
    return True


def memory(stack: Stack, seed: int, events: int) -> Iterator[Verdict]:
    """Resident memory with a backlog of so many events stays under 300 MB."""
    verdict = Verdict(f"memory with a backlog of {events:,} events")
    for firm in firm_of(stack, "memory", seed, run={"batch_size": 2_000}):
        for _ in range(events // 10_000):
            firm.edit(10_000)
            firm.flush()
        with consumers(firm) as members:
            peak = 0.0
            deadline = time.monotonic() + 60 + events / 1_000
            while not firm.is_quiet() and time.monotonic() < deadline:
                peak = max(peak, _resident_mb(members[0].process.pid))
                time.sleep(0.2)
        verdict.tried = events
        verdict.remarks.append(f"peak {peak:.0f} MB")
        if peak > 300:
            verdict.fail("over 300 MB")
        judge(firm, verdict)
    yield verdict


def _resident_mb(pid: int) -> float:
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20
    return 0.0
