"""Databases, registries and brokers that fail."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg
from psycopg import sql

from deploy.demo.consumers import Consumer
from deploy.local.processes import free_port
from deploy.local.stack import Stack
from tests.faults.firm import Firm, through
from tests.faults.proxy import Mode, Proxy
from tests.faults.registry import TIMEOUT_SECONDS, Illness, SickRegistry
from tests.faults.verdict import (
    Verdict,
    consumers,
    firm_of,
    health,
    judge,
    settle,
    wait,
    wait_quiet,
)


def database_proxied(stack: Stack, seed: int, times: int) -> Iterator[Verdict]:
    """The target behind a proxy that refuses, halves and delays: it waits, says degraded,
    stays a member, and goes on.
    """
    for mode in (Mode.REFUSE, Mode.HALVE, Mode.DELAY):
        verdict = Verdict(f"database: {mode.value}")
        for firm in firm_of(stack, "proxy", seed):
            with Proxy(stack.postgres_port, seed) as proxy:
                firm.config.write_text(through(firm.config.read_text(), stack, proxy.port))
                with consumers(firm) as members:
                    wait_quiet(firm, members)
                    for _ in range(times):
                        proxy.mode = mode
                        firm.edit(50)
                        firm.flush()
                        if mode is Mode.REFUSE:
                            wait(
                                lambda m=members[0]: "degraded" in health(m),  # type: ignore[misc]
                                "health says degraded",
                            )
                        else:
                            time.sleep(1.5)
                        proxy.mode = Mode.PASS
                        wait_quiet(firm, members)
                        verdict.tried += 1
                    wait(
                        lambda m=members[0]: '"ok"' in health(m),  # type: ignore[misc]
                        "health says ok again",
                    )
                    if _assignments(members[0]) != 1:
                        verdict.fail(
                            f"evicted from its group: {_assignments(members[0])} assignments"
                        )
            judge(firm, verdict)
        yield verdict


def _assignments(consumer: Consumer) -> int:
    return sum(line.count('"partitions assigned"') for line in consumer.log_lines())


def connections_ended(stack: Stack, seed: int, times: int) -> Iterator[Verdict]:
    """The server ends idle connections, turns read-only,
    and makes deadlock victims of our transactions.
    """
    verdict = Verdict("connections ended, read-only, locks held")
    for firm in firm_of(stack, "ended", seed):
        name = firm.pim_url.rsplit("/", 1)[1]
        with (
            consumers(firm) as members,
            psycopg.connect(firm.pim_url.replace("+psycopg", ""), autocommit=True) as other,
        ):
            for _ in range(times):
                wait_quiet(firm, members)
                query = (
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
                    " AND application_name = 'ajera-cdc'"
                )
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
        (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            " AND application_name = 'ajera-cdc'"
        ),
        [database],
    )


def _hold_rows_backwards(firm: Firm, connection: psycopg.Connection) -> None:
    """Lock PIM rows in the opposite order, slowly, while ours are being written:
    somebody becomes a deadlock's victim.
    """
    firm.edit(60)
    firm.flush()
    keys = [f"cl-{key}" for key in sorted(firm.names, key=str, reverse=True)]
    with (
        suppress(psycopg.errors.DeadlockDetected),
        connection.transaction(),
    ):
        for key in keys:
            connection.execute(
                'SELECT 1 FROM "Organization" WHERE "Organization ID" = %s FOR UPDATE',
                [key],
            )
            time.sleep(0.01)


def registry_sick(stack: Stack, seed: int) -> Iterator[Verdict]:
    """Each illness while a fresh consumer needs a schema: nothing is parked or set aside,
    and it goes on when healed.
    """
    impatient = {"timeout": str(TIMEOUT_SECONDS)}
    with SickRegistry(stack.registry) as registry:
        for firm in firm_of(
            stack,
            "registry",
            seed,
            registry={"url": registry.url, "client": impatient},
        ):
            for illness in Illness:
                if illness is Illness.NONE:
                    continue
                verdict = Verdict(f"registry: {illness.value}")
                firm.edit(20)
                firm.flush()
                registry.illness = illness
                with consumers(firm) as members:
                    wait(
                        lambda m=members[0]: "degraded" in health(m),  # type: ignore[misc]
                        f"degraded by {illness.value}",
                    )
                    firm.edit(20)
                    firm.flush()
                    registry.illness = Illness.NONE
                    wait_quiet(firm, members)
                    verdict.tried += 1
                judge(firm, verdict)
                yield verdict


def registry_away(stack: Stack, seed: int) -> Iterator[Verdict]:
    """Nobody listens at the registry's address, and then somebody does."""
    verdict, port = (
        Verdict("registry: not at all (connection refused)"),
        free_port(),
    )
    for firm in firm_of(stack, "away", seed, registry={"url": f"http://127.0.0.1:{port}"}):
        with consumers(firm) as members:
            wait(
                lambda: "registry.unavailable" in health(members[0]),
                "degraded, with the reason",
            )
            with SickRegistry(stack.registry, port):
                wait_quiet(firm, members)
            verdict.tried += 1
        judge(firm, verdict)
    yield verdict


def schema_lost(stack: Stack, seed: int) -> Iterator[Verdict]:
    """An id that the registry does not know for longer than stated halts its partition;
    it is never a dead letter.
    """
    verdict = Verdict("registry: id unknown for good")
    for firm in firm_of(
        stack,
        "unknown",
        seed,
        registry={"unknown_schema_timeout_seconds": 2.0},
    ):
        settle(firm)
        firm.topics["AxVec"].send_raw(b'{"vecKey":1}', b"\0" + struct.pack(">i", 9_999) + b"x")
        firm.flush()
        with consumers(firm) as members:
            wait(
                lambda: "registry.lost" in health(members[0]),
                "the partition halts",
            )
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
