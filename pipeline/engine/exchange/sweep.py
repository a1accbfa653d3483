"""After a gap in a capture:
rows of linked pairs that are not there any more were deleted while nobody listened.
"""

from __future__ import annotations

from pipeline.conflicts.ending import end
from pipeline.conflicts.rules import Side
from pipeline.engine.consumer.ports import Attempt, Clock
from pipeline.engine.exchange.ports import Pairs
from pipeline.engine.exchange.settlement import settle_open, store
from pipeline.engine.exchange.translate import Translations
from pipeline.engine.exchange.unit_of_work import ExchangeConfig, UnitOfWork
from pipeline.errors import TABLE_REFUSED, PipelineError
from pipeline.pairing.entity import Entity, Lists

LINKS_A_PAGE = 500
RETRY_SECONDS = 60.0


class Sweep:
    """Looks for the missing rows of a side once after each new epoch's snapshot;
    costs nothing otherwise.
    """

    def __init__(self, setup: ExchangeConfig, pairs: Pairs, clock: Clock) -> None:
        self._setup = setup
        self._pairs = pairs
        self._clock = clock
        self._evidence = dict.fromkeys(
            Side, 0
        )  # the newest epoch whose snapshot is known to be over
        self._done = dict.fromkeys(Side, 0)
        self._retry_at = 0.0
        self.refused: dict[str, PipelineError] = {}  # what could not be looked through, with why

    def ended(self, side: Side, epoch: int) -> None:
        """The snapshot of this epoch is over."""
        self._evidence[side] = max(self._evidence[side], epoch)

    def snapshot_ended(self, epoch: int) -> None:
        """Which side's is not said here; `ended` says it."""

    def advance(self, attempt: Attempt) -> None:
        """A side one of whose tables refuses to be read is looked through later."""
        if self._clock.monotonic() < self._retry_at:
            return
        self.refused.clear()
        for side in Side:
            if self._done[side] < self._evidence[side]:
                try:
                    attempt(lambda of=side: self._side(of))  # type: ignore[misc]
                except TABLE_REFUSED as error:
                    self.refused[f"rows deleted in {side}"] = error
                    self._retry_at = self._clock.monotonic() + RETRY_SECONDS
                else:
                    self._done[side] = self._evidence[side]

    def restored(self) -> None:
        """What was swept is to be looked for again."""
        self._done = dict.fromkeys(Side, 0)

    def is_first_load(self) -> bool:
        with self._pairs.transaction() as links:
            return any(swept == 0 for _, swept in links.epochs().values())

    def tell(self, attempt: Attempt) -> None:
        """Nothing: rows are exchanged as they come, and none waits for the end of a snapshot."""

    def _side(self, side: Side) -> None:
        epoch = self._evidence[side]
        with self._pairs.transaction() as links:
            seen, swept = links.epochs()[side]
        if swept >= epoch:
            return
        for entity in self._setup.entities:
            after = ""
            while page := self._page(entity, side, epoch, after):
                after = page
        with self._pairs.transaction() as links:
            links.set_epoch(side, max(seen, epoch), epoch)

    def _page(self, entity: Entity, side: Side, epoch: int, after: str) -> str | None:
        """End the links of one page whose row is gone; the last id of the page,
        None after the last page.
        """
        translations = Translations(self._setup, Lists())
        with self._pairs.transaction() as links:
            with self._pairs.ajera() as ajera:
                unit = UnitOfWork(links, ajera, dict.fromkeys(Side, 0), self._clock.now())
                ids = links.page_of_links(entity.name, side, epoch, after, LINKS_A_PAGE)
                unit.links.update(links.links(ids))
                keys = {link.side(side).key or "": link.id for link in unit.links.values()}
                rows = unit.of(side).read(entity.side(side).table, sorted(keys))
                gone = {one for key, one in keys.items() if key not in rows}
                settle_open(unit, translations, gone)
                for one in sorted(gone):
                    unit.change(
                        *end(
                            unit.links[one],
                            side,
                            unit.now,
                            translations.rules(entity),
                            unit.now,
                        )
                    )
            store(self._setup, unit)
        return ids[-1] if ids else None
