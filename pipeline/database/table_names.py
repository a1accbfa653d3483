"""What statements need to know of a database's tables: worked out once, not each transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.database.state.ledger import Mirror
from pipeline.database.systems.target_names import Names


@dataclass(frozen=True, slots=True)
class TableNames:
    """Of the mirrors, by source table; and of the target's tables, by name."""

    mirrors: Mapping[str, Mirror]
    names: Mapping[str, Names]
