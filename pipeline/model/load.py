"""How far a first load is."""

from __future__ import annotations

from dataclasses import dataclass

LOADED = "loaded"  # a source table that was read to the end of its snapshot


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """Of the source tables that are not loaded yet: messages that were read, of those that are
    there; and how many all consumers read a second, None before that is known.
    """

    tables: tuple[str, ...]
    read: int
    there: int
    a_second: float | None = None

    @property
    def percent(self) -> int:
        """Whole ones; 100 only if nothing is left."""
        return 100 if self.read >= self.there else self.read * 100 // self.there

    @property
    def seconds_left(self) -> float | None:
        """None while nothing is read, or where it is not known how fast."""
        return (self.there - self.read) / self.a_second if self.a_second else None
