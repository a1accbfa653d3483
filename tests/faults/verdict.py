"""What came of a fault, and what every scenario does: bring it about under load, heal it,
wait until all is quiet, judge.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from deploy.demo.consumers import Consumer, ask, running
from deploy.local.stack import Stack
from tests.faults import audit
from tests.faults.firm import Firm, founded
from tests.faults.ways import Ways, taken, untaken

QUIET_SECONDS = 60.0
EVENTS_A_SECOND = 500  # at least, beside whatever else runs
PROGRAM = "tests.faults.program"


@dataclass
class Verdict:
    """What came of one fault. Everything but `tried`, `remarks` and `ways` must be 0. That nothing
    went the way that is made for many is a fault, too: then nothing was tried of it.
    """

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
    ways: Ways = field(default_factory=Counter)

    @property
    def is_clean(self) -> bool:
        counts = (
            self.lost,
            self.wrong,
            self.repeated,
            self.backwards,
            self.parked,
            self.dead,
            self.other,
        )
        return self.tried > 0 and not any(counts)

    def fail(self, remark: str) -> None:
        """Something that no other count tells."""
        self.other += 1
        self.remarks.append(remark)

    def went(self, ways: Ways) -> None:
        """So went the rows of a database that is judged."""
        self.ways += ways
        for remark in untaken(ways):
            self.fail(remark)


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
    verdict.went(taken(firm.pim))


@contextmanager
def consumers(firm: Firm, count: int = 1) -> Iterator[list[Consumer]]:
    logs = firm.stack.logs / firm.name / str(time.monotonic_ns())
    logs.mkdir(parents=True)
    with running(firm.config, logs, count, program=PROGRAM) as members:
        yield members


def settle(firm: Firm) -> None:
    """A healthy consumer finishes what is left.
    One more edit stands for the heartbeat that a connector would send.
    """
    firm.edit(1)
    firm.flush()
    with consumers(firm) as members:
        wait_quiet(firm, members)


def wait_quiet(firm: Firm, members: list[Consumer]) -> None:
    try:
        wait(firm.is_quiet, "quiet", QUIET_SECONDS + firm.sent / EVENTS_A_SECOND)
    except NotReached as error:
        raise NotReached(f"{error}\n{firm.standing()}\n{members[-1].tail()}") from None


@contextmanager
def meanwhile(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Work in a thread of its own until the event is set, which is done at the end;
    what it raised is raised then.
    """
    ended = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work, ended)
        try:
            yield
        finally:
            ended.set()
        working.result()


def firm_of(stack: Stack, name: str, seed: int, **changed: Any) -> Iterator[Firm]:
    yield from founded(
        stack,
        f"{name}-{seed}-{uuid.uuid4().hex[:8]}",
        seed,
        **changed,
    )


def health(consumer: Consumer) -> str:
    with suppress(httpx.HTTPError):
        return ask(f"{consumer.address}/health").text
    return ""
