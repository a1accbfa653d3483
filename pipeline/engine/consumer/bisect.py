"""Items in order, a batch at a time; a batch that the database rejects is bisected down to the
offending item.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class BisectingQueue(Generic[T]):
    """What is left to be done. No item overtakes another: what a batch leaves undone comes before
    the items behind it.
    """

    def __init__(self, items: Sequence[T], largest: int) -> None:
        """`largest`: how many items a batch has at most."""
        self._left = list(items)
        self._largest = largest
        self._size = largest

    def __bool__(self) -> bool:
        return bool(self._left)

    def take(self) -> list[T]:
        """The next batch."""
        batch, self._left = (
            self._left[: self._size],
            self._left[self._size :],
        )
        return batch

    def bisect(self, batch: Sequence[T]) -> bool:
        """Put a rejected batch back, to be taken by halves; False: it is one item, the offending
        one, and stays taken.
        """
        if len(batch) <= 1:
            return False
        self._left = [*batch, *self._left]
        self._size = len(batch) // 2
        return True

    def take_all(self) -> list[T]:
        """Everything that is left, whatever the size of a batch."""
        left, self._left = self._left, []
        return left

    def done(self, rest: Sequence[T] = ()) -> None:
        """The batch is done, but for `rest`; batches grow again."""
        self._left = [*rest, *self._left]
        self._size = min(self._largest, 2 * self._size)
