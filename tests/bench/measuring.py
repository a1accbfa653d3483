"""What a contender used between two moments: time, CPU of its processes and of PostgreSQL, WAL."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

PARENT, USER, SYSTEM = 1, 11, 12  # fields of `_stat`
LOOK_SECONDS = 0.05
MOST_SECONDS = 900.0
_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Used:
    """Events, and what they took: seconds, CPU seconds of the contender and of PostgreSQL, bytes of
    WAL. What is not on this machine is None.
    """

    events: int = 0
    seconds: float = 0.0
    client: float = 0.0
    server: float | None = 0.0
    wal: float | None = 0.0

    def __add__(self, other: Used) -> Used:
        return Used(
            self.events + other.events,
            self.seconds + other.seconds,
            self.client + other.client,
            _sum(self.server, other.server),
            _sum(self.wal, other.wal),
        )

    def since(self, first: Used, events: int) -> Used:
        """What was used since an earlier sample."""
        return Used(
            events,
            self.seconds - first.seconds,
            self.client - first.client,
            _difference(self.server, first.server),
            _difference(self.wal, first.wal),
        )


@dataclass(frozen=True, slots=True)
class Result:
    """Events a second, µs of CPU an event of client and of PostgreSQL, bytes of WAL an event, and
    the client's largest memory in MB. What is not known is None.
    """

    rate: float
    client: float | None = None
    server: float | None = None
    wal: float | None = None
    memory: float | None = None

    @classmethod
    def of(cls, used: Used, memory: float | None) -> Result:
        each = 1e6 / used.events
        return cls(
            used.events / used.seconds,
            used.client * each,
            None if used.server is None else used.server * each,
            None if used.wal is None else used.wal / used.events,
            memory,
        )


class Meter:
    """`watching`: a connection to the server whose CPU and WAL count; None if it is elsewhere."""

    def __init__(self, watching: psycopg.Connection | None) -> None:
        self._watching = watching

    def sample(self, pids: Sequence[int]) -> Used:
        """Since each process began."""
        known = self._watching
        return Used(
            0,
            time.monotonic(),
            sum(map(cpu_seconds, pids)),
            None if known is None else server_seconds(known),
            None if known is None else wal_position(known),
        )

    def used(
        self,
        pids: Sequence[int],
        events: int,
        send: Callable[[], None],
        is_done: Callable[[], bool],
        check: Callable[[], None],
    ) -> Used:
        """From the moment in which all was sent until it is done; the processes sleep while it is
        sent. Raises TimeoutError, and of `check`.
        """
        with asleep(pids):
            send()
            first = self.sample(pids)
        wait_until(is_done, check)
        return self.sample(pids).since(first, events)


def wait_until(
    is_done: Callable[[], bool], check: Callable[[], None], seconds: float = MOST_SECONDS
) -> None:
    """Raises TimeoutError, and of `check`."""
    deadline = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not done within {seconds:.0f} s")
        check()
        time.sleep(LOOK_SECONDS)


@contextmanager
def asleep(pids: Sequence[int]) -> Iterator[None]:
    """They are stopped, and go on at the end."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def server_seconds(connection: psycopg.Connection) -> float:
    """CPU seconds of PostgreSQL's processes that are alive: user and system."""
    postmaster = _stat(connection.info.backend_pid)[PARENT]
    seconds = 0.0
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # ended meanwhile
            if (fields := _stat(int(path.name)))[PARENT] == postmaster:
                seconds += _seconds(fields)
    return seconds


def cpu_seconds(pid: int) -> float:
    """Of a process: user and system."""
    return _seconds(_stat(pid))


def peak_mb(pid: int) -> float:
    """The largest memory of a process until now."""
    return _memory_mb(pid, "VmHWM")


def resident_mb(pid: int) -> float:
    """The memory of a process now."""
    return _memory_mb(pid, "VmRSS")


def wal_position(connection: psycopg.Connection) -> int:
    """Bytes of WAL written so far."""
    ((found,),) = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
    return int(found)


def _memory_mb(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def _stat(pid: int) -> list[str]:
    """Of what the kernel tells of a process, the fields behind its name."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _seconds(fields: Sequence[str]) -> float:
    return (int(fields[USER]) + int(fields[SYSTEM])) * _TICK_SECONDS


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _difference(last: float | None, first: float | None) -> float | None:
    return None if last is None or first is None else last - first
