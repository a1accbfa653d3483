"""Intentions carried out, or given up, in memory,
as `pipeline.database.state.intentions` keeps them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pipeline.conflicts import line_values
from pipeline.conflicts.decision import Recorded
from tests.twins.clock import Ticks
from tests.twins.locks import Strength
from tests.twins.statements import statement
from tests.twins.tables import Session, Table, View


@dataclass(frozen=True, slots=True)
class Intention:
    """An intention as stored; without a table it is given up."""

    recorded: Recorded
    table: str | None = None


class Intentions:
    """Reads and writes intentions."""

    def __init__(self, session: Session, table: Table[Intention], clock: Ticks) -> None:
        self.session = session
        self._view = View(session, table)
        self._clock = clock

    @statement
    def take(self, intentions: Collection[str]) -> set[str]:
        """Whoever inserts a number first has it;
        a second one waits for the first one's transaction to end.
        """
        ours, now = set(), self._clock.now()
        for number in sorted(set(intentions)):
            if self._view.get((number,)) is None and self._view.claim((number,)) is None:
                self._view.put((number,), Intention(Recorded({}, None, now, None, 0)))
                ours.add(number)
        return ours

    @statement
    def recorded(self, intentions: Collection[str]) -> dict[str, Recorded]:
        found = {number: self._view.get((number,)) for number in sorted(set(intentions))}
        return {number: one.recorded for number, one in found.items() if one is not None}

    @statement
    def record(self, outcomes: Mapping[str, tuple[str, Recorded]]) -> None:
        for number, (table, one) in sorted(outcomes.items()):
            line_values.dump_values(one.held)  # raises for what is no value
            if self._view.lock((number,), Strength.CHANGE) is not None:
                self._view.put((number,), Intention(one, table))

    @statement
    def creators(self, table: str, keys: Sequence[str]) -> dict[str, str]:
        of_table = (
            (str(number), one.recorded.key)
            for (number,), one in self._view.items()
            if one.table == table
        )
        return {key: number for number, key in of_table if key is not None and key in keys}
