"""Who runs next: threads as they come, or one at a time in an order that a seed decides.

A transaction of the twin calls `reached` before each statement (with the statement's name), before
it commits ("commit") and after ("committed"),
and `blocked` while another transaction holds a lock that it needs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol

PATIENCE_SECONDS = 30.0


class Turns(Protocol):
    """Decides who goes on at each point of a transaction."""

    def reached(self, point: str) -> None:
        """The calling thread stands before this point."""

    def blocked(self, changed: threading.Condition) -> None:
        """The calling thread, which holds `changed`, cannot go on before a lock is released.
        Raises TimeoutError.
        """


class FreeTurns:
    """Threads run as they come."""

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds

    def reached(self, point: str) -> None:
        """Nobody waits for anybody."""

    def blocked(self, changed: threading.Condition) -> None:
        if not changed.wait(self._patience_seconds):
            raise TimeoutError("no lock was released in time")


class Meeting:
    """Threads meet once before a point: none passes before so many stand there."""

    def __init__(
        self,
        point: str,
        parties: int,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._point = point
        self._free = FreeTurns(patience_seconds)
        self._barrier = threading.Barrier(parties)
        self._patience_seconds = patience_seconds
        self._met = threading.local()

    def reached(self, point: str) -> None:
        """Raises threading.BrokenBarrierError when the others do not come."""
        if point == self._point and not getattr(self._met, "done", False):
            self._met.done = True
            self._barrier.wait(self._patience_seconds)

    def blocked(self, changed: threading.Condition) -> None:
        self._free.blocked(changed)


class Schedule:
    """Runs tasks in threads of which one runs at a time;
    at each point the seeded generator says which goes on.

    `stands_aside`: a task that is drawn stands before one of its first so many points until the
    others have ended or wait: anything may happen while it stands there.
    """

    def __init__(self, random: Random, stands_aside: int = 0) -> None:
        self._random = random
        self._stands_aside = stands_aside
        self._points = 0  # that the one who stands aside still passes
        self._aside: int | None = None
        self._baton: dict[int, threading.Event] = {}  # by the number of the task, while it runs
        self._mine = threading.local()
        self._finished = threading.Event()
        self._errors: list[BaseException] = []

    def run(self, tasks: Sequence[Callable[[], object]]) -> None:
        """Runs all to their end. Raises the first error of a task,
        TimeoutError when they do not end.
        """
        if not tasks:
            return
        self._finished.clear()
        self._baton = {number: threading.Event() for number in range(len(tasks))}
        threads = [
            threading.Thread(target=self._work, args=(number, task), daemon=True)
            for number, task in enumerate(tasks)
        ]
        if self._stands_aside:
            self._aside = self._random.randrange(len(tasks))
            self._points = self._random.randint(1, self._stands_aside)
        for thread in threads:
            thread.start()
        self._baton[self._random.randrange(len(tasks))].set()
        if not self._finished.wait(PATIENCE_SECONDS):
            raise TimeoutError("the tasks do not end") from next(iter(self._errors), None)
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
        if self._errors:
            error, self._errors = self._errors[0], []
            raise error

    def reached(self, point: str) -> None:
        """Hand over to whoever is drawn; outside of a task nobody waits."""
        del point
        number = getattr(self._mine, "number", None)
        if number is not None:
            if number == self._aside:
                self._points -= 1
            self._hand_over(number, self._going())

    def blocked(self, changed: threading.Condition) -> None:
        number = getattr(self._mine, "number", None)
        others = [other for other in self._baton if other != number]
        if number is None or not others:
            raise TimeoutError("the lock is held by nobody who runs")
        changed.release()
        try:
            self._hand_over(number, others)
        finally:
            changed.acquire()

    def _work(self, number: int, task: Callable[[], object]) -> None:
        self._mine.number = number
        self._baton[number].wait()
        try:
            task()
        except BaseException as error:  # handed to `run`, which raises it
            self._errors.append(error)
        finally:
            del self._baton[number]
            if self._baton:
                self._baton[self._random.choice(self._going())].set()
            else:
                self._finished.set()

    def _going(self) -> list[int]:
        """Who may go on: not whoever stands aside, while there are others."""
        aside = self._aside if self._points <= 0 else None
        return [number for number in self._baton if number != aside] or list(self._baton)

    def _hand_over(self, number: int, candidates: Sequence[int]) -> None:
        chosen = self._random.choice(candidates)
        if chosen == number:
            return
        mine = self._baton[number]
        mine.clear()
        self._baton[chosen].set()
        mine.wait()
