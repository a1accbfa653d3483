"""Pairs that were linked before a line was added or changed: none of them waits for an event."""

from __future__ import annotations

from pipeline.conflicts.fingerprint import of_lines
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.ports import Pairs
from pipeline.engine.exchange.unit_of_work import ExchangeConfig, WorkItem

LINKS_A_PAGE = 500


class NewLines:
    """Finds them page by page, once a process: those that were looked at are found no more."""

    def __init__(self, setup: ExchangeConfig, pairs: Pairs) -> None:
        self._setup = setup
        self._pairs = pairs
        self._lines = {one.name: of_lines(one.rules.fingerprints) for one in setup.entities}
        self._after: str | None = ""  # None: the last page was given

    def page(self) -> list[WorkItem]:
        """The next of them; none after the last page."""
        if self._after is None or not self._lines:
            return []
        with self._pairs.transaction() as links:
            found = links.outdated_links(self._lines, self._after, LINKS_A_PAGE)
        self._after = max(found, default=None)
        return [
            WorkItem(
                Side.DPS,
                self._setup.entity(of).dps.table.name,
                "",
                entity=of,
                link=one,
                is_outdated=True,
            )
            for one, of in found.items()
        ]
