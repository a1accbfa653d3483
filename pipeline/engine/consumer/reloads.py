"""Messages that would halt, and that a newer snapshot of their table has replaced."""

from __future__ import annotations

from collections.abc import Callable

Reloaded = Callable[[str, int], int]


class Reloads:
    """`reloaded`: the newest epoch whose snapshot of a table is over, in an incarnation of its
    topic.
    """

    def __init__(self, reloaded: Reloaded) -> None:
        self._reloaded = reloaded
        self._known: dict[tuple[str, int], int] = {}

    def forget(self) -> None:
        self._known.clear()

    def replaced(self, table: str, epoch: int, incarnation: int) -> bool:
        """Did a newer snapshot read every row of the table of a message of this epoch again: what
        it read stands behind the message in its partition, and what was deleted is swept.
        """
        if not epoch:
            return False
        key = table, incarnation
        if self._known.get(key, 0) <= epoch:
            self._known[key] = self._reloaded(*key)
        return self._known[key] > epoch
