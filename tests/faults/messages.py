"""Messages that cannot be processed, rows that are rejected, ground that is wrong, and memory."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from deploy.local.stack import Stack
from tests.bench.produce import Change
from tests.faults.dead_letters import untrue
from tests.faults.firm import CLIENTS, Firm
from tests.faults.unusual_schemas import OddTopic
from tests.faults.verdict import (
    QUIET_SECONDS,
    Verdict,
    consumers,
    firm_of,
    health,
    judge,
    settle,
    wait,
    wait_quiet,
)

LIMIT_MB = 300


def spoiled(rng: random.Random, schema_id: int) -> bytes:
    """Bytes that no schema gives: truncated, another magic, wrong unions, huge lengths,
    halves of letters, noise.
    """
    header = b"\0" + struct.pack(">i", schema_id)
    match rng.randrange(6):
        case 0:
            return header[: rng.randrange(1, 5)]
        case 1:
            return bytes([rng.randrange(1, 256)]) + header[1:] + rng.randbytes(30)
        case 2:
            return header + b"\x02" + b"\x7e" * rng.randrange(1, 40)
        case 3:
            return (
                header
                + b"\x02\x02"
                + b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                + rng.randbytes(20)
            )
        case 4:
            return header + b"\x02\x02\x06\xed\xa0\x80" + rng.randbytes(40)
        case _:
            return header + rng.randbytes(rng.randrange(60))


def malformed(stack: Stack, seed: int, count: int) -> Iterator[Verdict]:
    """Spoiled messages among good ones, fewer than the circuit allows: each is set aside,
    every good one is applied.

    Good are also those with a NaN, or a date that no calendar has, in a column that nobody needs.
    """
    verdict, rng = (
        Verdict("malformed messages among good ones"),
        random.Random(seed),
    )
    limits = {
        "max_consecutive_dead_letters": 1_000,
        "max_dead_letter_ratio": 1.0,
        "batch_size": 2_000,
    }
    for firm in firm_of(stack, "malformed", seed, run=limits):
        odd = OddTopic(firm)
        sent = 0
        while sent < count:
            batch = min(rng.randint(1, 50), count - sent)
            for _ in range(batch):
                _send_spoiled(firm, rng)
            sent += batch
            firm.sent += batch
            firm.edit(3)
            odd.rename(rng.randint(1, CLIENTS))
        firm.flush()
        with consumers(firm) as members:
            wait(firm.is_quiet, "quiet", QUIET_SECONDS + count / 100)
            verdict.tried += sent
            members[0].check()
        judge(firm, verdict, dead=sent)
        verdict.dead += untrue(firm, "AxVec")
    yield verdict


def _send_spoiled(firm: Firm, rng: random.Random) -> None:
    """One message that cannot be processed; one in twenty is well-formed,
    and committed at no time of any calendar.
    """
    topic = firm.topics["AxVec"]
    if rng.random() < 0.05:
        change = Change(
            "u",
            {**firm.row(1), "vecDescription": "n-00000000"},
            firm.number,
            later_ms=2**60,
        )
        topic.send([change], flush=False)
    else:
        topic.send_raw(
            b'{"vecKey":%d}' % rng.randint(1, CLIENTS),
            spoiled(rng, topic.schema_id),
        )


def circuit_opens(stack: Stack, seed: int) -> Iterator[Verdict]:
    """A topic of nothing but spoiled messages halts after the limit,
    and a restart does not set another 20 aside.
    """
    verdict, rng = (
        Verdict("circuit: a drained topic halts"),
        random.Random(seed),
    )
    for firm in firm_of(stack, "circuit", seed, kafka={"partitions": 1}):
        settle(firm)
        for _ in range(100):
            firm.topics["AxVec"].send_raw(b'{"vecKey":1}', b"\1" + rng.randbytes(20))
        firm.flush()
        for _ in range(3):
            with consumers(firm) as members:
                wait(
                    lambda: "kafka.circuit_open" in health(members[0]),
                    "the circuit opens",
                )
                verdict.tried += 1
        judge(firm, verdict, dead=20)
    yield verdict


def row_to_blame(stack: Stack, seed: int) -> Iterator[Verdict]:
    """Rows that PIM rejects for constraints we do not know: they alone wait, the rest is written,
    and they heal by themselves.
    """
    verdict = Verdict("rows rejected by PIM are narrowed to")
    for firm in firm_of(stack, "narrow", seed, run={"parked_retry_seconds": 1.0}):
        firm.pim.execute(THEIRS)
        firm.edit(100)
        firm.flush()
        with consumers(firm) as members:
            wait_quiet(firm, members)
            _check_waiting(firm, verdict)
            firm.pim.execute(THEIRS_NO_MORE)
            wait(firm.waits_for_nothing, "they heal")
            firm.edit(100)  # until now each batch held a rejected row, and went row by row
            firm.flush()
            wait_quiet(firm, members)
            verdict.tried += 4
        judge(firm, verdict)
    yield verdict


# A check, a unique index over two rows of which one can have the value,
# and a column that a trigger empties.
THEIRS = """
    ALTER TABLE "Organization" ADD CONSTRAINT theirs CHECK
        ("Organization ID" NOT IN ('cl-7', 'cl-21'));
    CREATE UNIQUE INDEX only_one ON "Organization" ((1))
        WHERE "Organization ID" IN ('cl-30', 'cl-31');
    ALTER TABLE "Organization" ADD "Theirs" text NOT NULL DEFAULT '';
    CREATE FUNCTION empty_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW."Theirs" := NULL;
        RETURN NEW; END $$;
    CREATE TRIGGER empty_it BEFORE INSERT ON "Organization" FOR EACH ROW
        WHEN (NEW."Organization ID" = 'cl-12')
        EXECUTE FUNCTION empty_it();
"""
THEIRS_NO_MORE = """
    ALTER TABLE "Organization" DROP CONSTRAINT theirs;
    DROP INDEX only_one;
    DROP TRIGGER empty_it ON "Organization";
"""


def _check_waiting(firm: Firm, verdict: Verdict) -> None:
    query = "SELECT key, code FROM sync.due WHERE reason IS NOT NULL ORDER BY key"
    waiting = {str(key): str(code) for key, code in firm.pim.execute(query)}
    one_of_two = waiting.keys() & {"30", "31"}
    if waiting.keys() - one_of_two != {"7", "12", "21"} or len(one_of_two) != 1:
        verdict.fail(f"wait: {sorted(waiting)}")
    if set(waiting.values()) != {"target.rejected"}:
        verdict.fail(f"with {sorted(set(waiting.values()))}")
    if firm.lost() != len(waiting):
        verdict.fail(f"{firm.lost()} organizations are not right, {len(waiting)} should not be")


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
                peak = max(peak, resident_mb(members[0].process.pid))
                time.sleep(0.2)
        verdict.tried = events
        verdict.remarks.append(f"peak {peak:.0f} MB")
        if peak > LIMIT_MB:
            verdict.fail(f"over {LIMIT_MB} MB")
        judge(firm, verdict)
    yield verdict


def resident_mb(pid: int) -> float:
    """Of a process, 0 once it has ended."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20
    return 0.0
