"""What a projection needs of its state beside marks and rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from pipeline.mapping.aggregate import Aggregate, AggregateGroups
from pipeline.mapping.observed import PutBackValue
from pipeline.mapping.table import Groups
from pipeline.model.event import Value


class ExchangeLinks(Protocol):
    """The links of an exchange that keeps its own tables in the same database. For a route whose
    mappings take keys from them; for others TargetRefused.
    """

    def follow_links(self, entities: Collection[str]) -> frozenset[str]:
        """From this transaction's commit on, the changes of these entities' links are kept for the
        route, and those of no others. Answers the entities that were not followed before: nobody
        kept what changed until then. Until the transaction ends nobody stores a link.
        """

    def take_link_changes(self, limit: int) -> list[tuple[str, str]]:
        """Some of the kept changes, which are removed: entity and key of the route's source."""

    def linked_keys(
        self, entity: str, keys: Sequence[str], *, is_locked: bool = True
    ) -> dict[str, str]:
        """Of these rows of the source the keys that their links give. These links are locked: until
        the transaction ends they give the same. Or, not `is_locked`, as they are committed now.
        """

    def log_put_back(self, entity: str, edits: Sequence[PutBackValue], now: datetime) -> None:
        """Enter what people typed over columns that the source owns in the exchange's conflict log,
        with the pairs of these roots. The links must be locked.
        """


class KeptSettings(Protocol):
    """Settings that outlive the process."""

    def setting(self, name: str) -> str | None:
        """What was stored under a name, None before."""

    def set_setting(self, name: str, value: str) -> None: ...


class Aggregates(Protocol):
    """Values that the database computes over ledger rows."""

    def aggregated(
        self, lines: Sequence[Aggregate], keys: Sequence[str]
    ) -> dict[str, dict[str, Value]]:
        """For each of these roots the values of these lines by target column, computed over
        committed ledger rows; one that cannot be known is left out.
        """

    def grouped(
        self, groups: Sequence[AggregateGroups], keys: Sequence[str]
    ) -> dict[str, dict[str, Groups]]:
        """For each of these roots its groups by name; those that cannot be known are left out."""
