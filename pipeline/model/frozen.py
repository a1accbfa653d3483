"""`dataclass(frozen=True, slots=True)` for values of which each event makes several: mypy refuses
an assignment to their fields. When the program runs nothing does, because a frozen dataclass sets
each field through a call, and takes four times as long to make.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as light
else:
    from dataclasses import dataclass

    def light(*, frozen, slots=False, order=False, eq=True):
        """The same class, compared and hashed alike, without the calls."""
        return dataclass(slots=slots, unsafe_hash=frozen and eq, order=order, eq=eq)


__all__ = ["light"]
