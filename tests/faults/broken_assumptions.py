"""Broken ordering assumptions: topics made anew or grown, a PIM restored from a copy,
a source restored from a backup.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]
from psycopg import sql

from deploy.demo.consumers import Consumer
from deploy.local.stack import Stack
from deploy.sample import databases
from pipeline.config.load import load
from pipeline.domain.routes import ROUTES
from pipeline.kafka.admin import KafkaAdmin
from pipeline.operations.connectors import topics_of
from tests.faults.firm import CLIENTS, Firm
from tests.faults.verdict import (
    NotReached,
    Verdict,
    consumers,
    firm_of,
    judge,
    settle,
    wait,
    wait_quiet,
)


def wrong_ground(stack: Stack, seed: int) -> Iterator[Verdict]:
    """A topic that got more partitions, and a source that was restored from a backup: both halt,
    and say what to do.
    """
    verdict = Verdict("wrong ground halts")
    for firm in firm_of(stack, "grown", seed):
        settle(firm)
        grow(firm, "AxVec", 6)
        verdict.tried += halts(firm, "kafka.partitions", verdict)
        judge(firm, verdict)
    for firm in firm_of(stack, "rewound", seed):
        settle(firm)
        kept, firm.number = firm.number, 1
        firm.topics["AxVec"].send([firm.late("u")])
        firm.number = kept
        verdict.tried += halts(firm, "source.rewound", verdict)
        judge(firm, verdict)
    yield verdict


def topics_made_anew(stack: Stack, seed: int, times: int) -> Iterator[Verdict]:
    """A topic is deleted and made again under its name, while nobody reads and while somebody does:
    nothing is lost.
    """
    verdict = Verdict("topic made anew while stopped")
    for firm in firm_of(stack, "anew", seed):
        settle(firm)
        make_anew(firm, "AxVec")
        firm.edit(20)
        firm.flush()
        with consumers(firm):
            _wait_right(firm)
        verdict.tried += 1
        judge(firm, verdict)
    yield verdict
    verdict = Verdict("topic made anew while it is read")
    for number in range(times):
        for firm in firm_of(stack, "anew", seed):
            settle(firm)
            with consumers(firm) as members:
                _work(firm, members)
                make_anew(firm, "AxVec")
                firm.edit(
                    20 if number % 2 else 2_000
                )  # so that the old offset lies beyond the new end, or before it
                firm.flush()
                _go_on(firm, members[0])
            verdict.tried += 1
            judge(firm, verdict)
    yield verdict


def pim_restored(stack: Stack, seed: int) -> Iterator[Verdict]:
    """PIM goes back to a copy of itself, between two runs and under a running consumer:
    the lost part is read again.
    """
    yield _restored(stack, seed, "while stopped", _restored_while_stopped)
    yield _restored(
        stack,
        seed,
        "while running",
        lambda firm, database: _under_load(firm, database, at_once=False),
    )
    yield _restored(
        stack,
        seed,
        "while running, at once",
        lambda firm, database: _under_load(firm, database, at_once=True),
    )


def _restored(stack: Stack, seed: int, when: str, restore: Callable[[Firm, str], None]) -> Verdict:
    verdict = Verdict(f"PIM restored from a copy {when}")
    for firm in firm_of(stack, "restored", seed):
        settle(firm)
        database = firm.pim_url.rsplit("/", 1)[1]
        _copy(firm, database)
        for key in range(1, CLIENTS // 2):
            firm.rename(key, "u")
        settle(firm)
        restore(firm, database)
        verdict.tried += 1
        judge(firm, verdict)
    return verdict


def _restored_while_stopped(firm: Firm, database: str) -> None:
    _restore(firm, database, at_once=True)
    settle(firm)


def _under_load(firm: Firm, database: str, *, at_once: bool) -> None:
    """Those that were renamed before are not renamed again:
    only reading once more brings their names.
    """
    with consumers(firm) as members:
        _work(firm, members)
        _restore(firm, database, at_once=at_once)
        for key in range(CLIENTS // 2, CLIENTS + 1):
            firm.rename(key, "u")
        firm.flush()
        _go_on(firm, members[0])


# -- what an operator, or an accident, does --------------------------------------------------------


def grow(firm: Firm, table: str, partitions: int) -> None:
    admin = AdminClient({"bootstrap.servers": firm.stack.bootstrap})
    for future in admin.create_partitions(
        [NewPartitions(f"{firm.name}.{table}", partitions)]
    ).values():
        future.result(10)


def make_anew(firm: Firm, table: str) -> None:
    """Delete a topic and make it again, as quickly as can be."""
    topic, settings = f"{firm.name}.{table}", load(firm.config, {}, ROUTES)
    admin = AdminClient({"bootstrap.servers": firm.stack.bootstrap})
    wanted = [one for one in topics_of(settings) if one.name == topic]
    ours = KafkaAdmin(firm.stack.bootstrap, {})
    before = ours.topic_description(topic)
    admin.delete_topics([topic])[topic].result(10)

    def is_new() -> bool:
        ours.ensure_topics(wanted)
        found = ours.topic_description(topic)
        return found is not None and before is not None and found.topic_id != before.topic_id

    wait(is_new, "the topic is there again")
    ours.close()


def _copy(firm: Firm, database: str) -> None:
    with _elsewhere(firm, database) as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(f"{database}-copy"), sql.Identifier(database)
            )
        )


def _restore(firm: Firm, database: str, *, at_once: bool) -> None:
    """The copy takes the place of the database; who was connected loses the connection.

    At once: nobody who connects again can tell. Otherwise there is no database for a while.
    """
    place, copy, gone = (sql.Identifier(f"{database}{ending}") for ending in ("", "-copy", "-gone"))
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    with _elsewhere(firm, database) as admin:
        if not at_once:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(place))
            time.sleep(1)
            admin.execute(rename.format(copy, place))
            return

        def swapped() -> bool:
            _end_connections(admin, database)
            with suppress(psycopg.errors.ObjectInUse), admin.transaction():
                admin.execute(rename.format(place, gone))
                admin.execute(rename.format(copy, place))
                return True
            return False

        wait(swapped, "the copy is in place")


def _end_connections(admin: psycopg.Connection, database: str) -> None:
    admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
        [database],
    )


@contextmanager
def _elsewhere(firm: Firm, database: str) -> Iterator[psycopg.Connection]:
    """A connection to the server with our own to this database closed;
    it is opened anew afterwards.
    """
    firm.pim.close()
    with databases.connect(firm.stack.postgres_url("postgres")) as admin:
        yield admin
    firm.pim = databases.connect(firm.pim_url)


# -- what must come of it --------------------------------------------------------------------------


def halts(firm: Firm, code: str, verdict: Verdict) -> bool:
    """Does a consumer halt a partition, or end, with this code."""
    with consumers(firm) as members:
        try:
            wait(lambda: code in members[0].tail(), code, 30)
        except NotReached as error:
            verdict.fail(f"{error}: {members[0].tail()[-400:]}")
            return False
    return True


def _work(firm: Firm, members: list[Consumer]) -> None:
    """They have their partitions, and have applied something from them."""
    firm.edit(10)
    firm.flush()
    wait_quiet(firm, members)


def _wait_right(firm: Firm, or_else: Callable[[], bool] = lambda: False) -> None:
    wait(
        lambda: or_else() or (firm.lost() == 0 and firm.wrong() == 0),
        "PIM is right",
    )


def _go_on(firm: Firm, member: Consumer) -> None:
    """Either the consumer sees it through, or it stops and says why, and its next start does."""
    _wait_right(firm, lambda: member.process.poll() is not None)
    if member.process.poll() is not None:
        with consumers(firm):
            _wait_right(firm)
