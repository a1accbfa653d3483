"""The plain events of a round, decided on the documents of their links before any other is looked
at: nothing but the event's row is asked, and of its parent whether it is exchanged.

Whatever is not plain goes the general way in the same round, and so does every later event of its
links. A link that is needed there is opened, as far as it was decided here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set

from pipeline.conflicts import codec, line_values
from pipeline.conflicts.decision import Applied, Reason, WriteOutcome
from pipeline.conflicts.fingerprint import of_lines
from pipeline.conflicts.line_values import Document
from pipeline.conflicts.plain import PlainDecision, asked, carried_out, decide_plain
from pipeline.conflicts.rules import Side
from pipeline.engine.exchange.kinds import may_begin
from pipeline.engine.exchange.parents import parent_followed
from pipeline.engine.exchange.pass_links import PassLinks
from pipeline.engine.exchange.translate import Translations
from pipeline.engine.exchange.unit_of_work import (
    ExchangeConfig,
    ItemResult,
    PlannedWrite,
    UnitOfWork,
    WorkItem,
)
from pipeline.model.event import Event
from pipeline.pairing.entity import Entity


class PlainPass:
    """Of one round: `take` what is plain, `settle` DPS's writes of it, `store` it."""

    def __init__(
        self,
        setup: ExchangeConfig,
        unit: UnitOfWork,
        translations: Translations,
        links: PassLinks,
    ) -> None:
        self._setup = setup
        self._unit = unit
        self._translations = translations
        self._links = links
        self._general: set[str] = set()
        self._after: dict[str, Document] = {}
        self._writes: dict[str, tuple[PlainDecision, PlannedWrite]] = {}  # by link
        self._lines: dict[str, str] = {}  # what links of an entity are found by
        self.ended: list[ItemResult] = []
        self.edits = 0

    @property
    def busy(self) -> Set[str]:
        """Links that are written to, whose next event waits for the next round."""
        return self._writes.keys()

    # -- deciding ----------------------------------------------------------------------------------

    def take(self, items: Sequence[WorkItem]) -> list[WorkItem]:
        """Decide what is plain; the other items, in their order."""
        rest: list[WorkItem] = []
        general = self._general
        for item in items:
            ids = self._links.ids_of(item)
            if (
                item.event is None
                or not ids
                or not general.isdisjoint(ids)
                or not self._decided(item, item.event, ids)
            ):
                general.update(ids)
                rest.append(item)
        return rest

    def _decided(self, item: WorkItem, event: Event, ids: Sequence[str]) -> bool:
        """Is the event plain for each pair of its row; then it is decided."""
        documents = {document["entity"]: document for document in map(self._document, ids)}
        found: list[tuple[Entity, PlainDecision]] = []
        for entity in self._setup.of(item):
            document = documents.get(entity.name)
            if document is None:
                if may_begin(entity, item.side, event, self._translations.lists):
                    return False
                continue
            decided = self._plain(entity, item, event, document)
            if decided is None:
                return False
            found.append((entity, decided))
        if len(found) < len(ids):
            return False
        for entity, decided in found:
            self._take(item, entity, decided)
        return True

    def _plain(
        self, entity: Entity, item: WorkItem, event: Event, document: Document
    ) -> PlainDecision | None:
        decided = decide_plain(document, item.side, event, self._translations.rules(entity))
        if decided is None:
            return None
        entity_side, row = entity.side(item.side), event.row
        is_plain = (
            entity_side.is_flagged(row)
            and entity_side.belongs(row, self._translations.lists)
            and (entity.limited_by is None or _counts_as_before(entity.limited_by, decided))
            and (entity.parent is None or self._stays(entity, item, document))
        )
        return decided if is_plain else None

    def _stays(self, entity: Entity, item: WorkItem, document: Document) -> bool:
        """Is the row of the pair that its own hangs on, if it hangs on any, exchanged as before."""
        parent = parent_followed(self._setup, entity, item.side, item.key)
        if parent is None:
            return document["of"] is None
        of, key = parent
        ids = self._links.of_row(item.side, of.side(item.side).table.name, key)
        return self._general.isdisjoint(ids) and not any(
            found.get("off") or found.get("out") for found in map(self._document, ids)
        )

    def _take(self, item: WorkItem, entity: Entity, decided: PlainDecision) -> None:
        link = decided.document["id"]
        self._after[link] = decided.document
        if decided.write is not None:
            self._writes[link] = decided, PlannedWrite(decided.write, entity)
        self.edits += decided.reason is Reason.EDITED
        self.ended.append(ItemResult(item, decided.outcome, decided.reason))

    def _document(self, link: str) -> Document:
        """The document of a link by now; it is not changed."""
        after = self._after.get(link)
        text = self._links.texts[link] if after is None else line_values.text_of(after)
        return codec.document_of(text)

    # -- the general way ---------------------------------------------------------------------------

    def open(self, ids: Collection[str]) -> None:
        """These links go the general way from now on, as they were decided here."""
        for link in [one for one in self._after if one in ids]:
            self._open(link, self._after.pop(link))

    def open_all(self) -> None:
        """The same of all that was decided."""
        self.open(list(self._after))

    def _open(self, link: str, document: Document) -> None:
        decided = self._writes.get(link)
        if decided is not None:
            document = asked(decided[0], decided[1].write, self._unit.now)
        text = self._links.texts[link] = line_values.text_of(document)
        self._unit.links.update(self._unit.links_of.opened([text]))
        self._unit.changed.add(link)

    # -- writing -----------------------------------------------------------------------------------

    def writes(self, side: Side) -> list[PlannedWrite]:
        return [planned for _, planned in self._writes.values() if planned.write.side is side]

    def settle(self, outcomes: Mapping[str, WriteOutcome]) -> list[PlannedWrite]:
        """Put what became of DPS's writes into their links; those that the general way settles."""
        left: list[PlannedWrite] = []
        for link, (decided, planned) in self._writes.items():
            write = planned.write
            if write.side is not Side.DPS:
                continue
            outcome, after = outcomes.get(write.intention), None
            if link in self._after and isinstance(outcome, Applied):
                after = carried_out(decided, write, outcome)
            if after is not None:
                self._after[link] = after
                continue
            self.open([link])
            left.append(planned)
        return left

    def store(self) -> None:
        """Store what was decided here alone."""
        documents: list[tuple[Document, str]] = []
        for link, document in sorted(self._after.items()):
            decided = self._writes.get(link)
            if decided is not None and decided[1].write.side is Side.AJERA:
                found, known = asked(decided[0], decided[1].write, self._unit.now), ""
            else:
                found, known = document, self._known(document["entity"])
            found["version"] += 1
            documents.append((found, known))
        if documents:
            self._unit.links_of.rewrite(documents)

    def _known(self, entity: str) -> str:
        """By what links of an entity that know all its lines are found (`known_as`)."""
        if entity not in self._lines:
            rules = self._translations.rules(self._setup.entity(entity))
            self._lines[entity] = of_lines(rules.fingerprints)
        return self._lines[entity]


def _counts_as_before(name: str, decided: PlainDecision) -> bool:
    """Does a contact count for the firm that DPS shows, and goes on doing so."""
    document, write = decided.document, decided.write
    owner, counts_for = document["dps"]["value"].get(name), document["counts_for"]
    is_asked = write is not None and name in write.values
    return not is_asked and bool(counts_for == (None if owner is None else str(owner)))
