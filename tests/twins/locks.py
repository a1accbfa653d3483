"""Locks of the twin: three strengths of row locks and two of table locks, held to the end of a
transaction; a circle of waiters ends one of them.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from enum import Enum
from itertools import count

from pipeline.errors import TargetBusy
from tests.twins.turns import Turns


class Strength(Enum):
    """What a lock keeps others from. As PostgreSQL has it:
    a change of other columns does not disturb who refers to a row.
    """

    PRESENCE = "presence"  # nobody may delete the row
    CHANGE = "change"  # nobody else may lock or change it; whoever refers to it may
    UPDATE = "update"  # nobody else may lock it in any way
    HOLD = "hold"  # of a whole table: nobody may write it
    WRITE = "write"  # of a whole table: nobody may hold it


_TOLERATED = {
    frozenset([Strength.PRESENCE]),
    frozenset([Strength.PRESENCE, Strength.CHANGE]),
    frozenset([Strength.HOLD]),
    frozenset([Strength.WRITE]),
}


class Locks:
    """Locks by resource and owner. Raises TargetBusy for whoever closes a circle of waiters."""

    def __init__(self, turns: Turns) -> None:
        self.changed = threading.Condition()  # also what guards the committed tables
        self.owners = count(1)  # the number of the next transaction
        self._turns = turns
        self._held: dict[Hashable, dict[int, set[Strength]]] = {}
        self._waits: dict[int, set[int]] = {}  # owner -> owners it waits for

    def acquire(self, owner: int, resource: Hashable, strength: Strength) -> None:
        """Wait until nobody else holds the resource in a way that does not go with this one.
        Raises TargetBusy.
        """
        with self.changed:
            while blockers := set(self._blockers(owner, resource, strength)):
                self._waits[owner] = blockers
                try:
                    if self._closes_a_circle(owner):
                        raise TargetBusy("a deadlock, in memory")
                    self._turns.blocked(self.changed)
                except TimeoutError as error:
                    raise TargetBusy(f"a lock in memory: {error}") from None
                finally:
                    del self._waits[owner]
            self._held.setdefault(resource, {}).setdefault(owner, set()).add(strength)

    def release(self, owner: int) -> None:
        """Give back everything that the owner holds."""
        with self.changed:
            for resource in [
                resource for resource, owners in self._held.items() if owner in owners
            ]:
                del self._held[resource][owner]
                if not self._held[resource]:
                    del self._held[resource]
            self.changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many transactions wait for a lock now."""
        with self.changed:
            return len(self._waits)

    def _blockers(self, owner: int, resource: Hashable, strength: Strength) -> Iterator[int]:
        for other, strengths in self._held.get(resource, {}).items():
            if other != owner and any(
                frozenset([strength, held]) not in _TOLERATED for held in strengths
            ):
                yield other

    def _closes_a_circle(self, owner: int) -> bool:
        seen: set[int] = set()
        ahead = set(self._waits[owner])
        while ahead:
            one = ahead.pop()
            if one == owner:
                return True
            if one not in seen:
                seen.add(one)
                ahead |= self._waits.get(one, set())
        return False
