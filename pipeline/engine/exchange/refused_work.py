"""Work for which a table refuses to be read or written, and that no event would bring again."""

from __future__ import annotations

from pipeline.conflicts.link import Link
from pipeline.conflicts.rules import Side
from pipeline.engine.consumer.ports import Attempt, Clock
from pipeline.engine.exchange.ports import Pairs
from pipeline.engine.exchange.unit_of_work import ExchangeConfig, WorkItem, link_id, row_id
from pipeline.errors import PipelineError
from pipeline.pairing.entity import ParkedWork


class RefusedWork:
    """Kept among the parked work, and tried again with it."""

    def __init__(self, setup: ExchangeConfig, pairs: Pairs, clock: Clock) -> None:
        self._setup = setup
        self._pairs = pairs
        self._clock = clock

    def item_of(self, link: Link) -> WorkItem:
        """To look at a pair again, and at what belongs to it."""
        table = self._setup.entity(link.entity).dps.table.name
        key = link.dps.key or ""
        return WorkItem(Side.DPS, table, key, entity=link.entity, link=link.id)

    def keep(self, item: WorkItem, error: PipelineError, attempt: Attempt) -> None:
        """Nothing where an event brings it again, where it is parked already, or where it is looked
        for in pages.
        """
        if item.event is not None or item.is_parked or item.is_outdated:
            return
        parked = [
            ParkedWork(
                row_id(entity.name, item.side, item.key)
                if item.link is None
                else link_id(item.link),
                entity.name,
                item.side,
                item.key,
                error.code,
                str(error),
                item.link,
            )
            for entity in self._setup.of(item)
        ]

        def park() -> None:
            with self._pairs.transaction() as links:
                links.park(parked, self._clock.now())

        attempt(park)
