"""Lost races are tried again a few times; what loses every time is no race."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from pipeline.errors import ConcurrentWrite, RowRejected

T = TypeVar("T")
CONCURRENT_TRIES = 5


class RetryLostRaces(Generic[T]):
    """A call that is tried again and again. A unique value refused every time is no race:
    then it is a bad row.

    Raises ConcurrentWrite, to be tried again, and RowRejected in its place the last time.
    """

    def __init__(self, once: Callable[[], T]) -> None:
        self._once = once
        self._left = CONCURRENT_TRIES

    def __call__(self) -> T:
        try:
            return self._once()
        except ConcurrentWrite as error:
            self._left -= 1
            if self._left > 0:
                raise
            raise RowRejected(str(error)) from error
