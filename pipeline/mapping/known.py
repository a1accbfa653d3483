"""Values of a row of which some are unknown: who reads one of those gets an exception,
and takes no null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pipeline.model.event import Row, Value
from pipeline.model.ledger import LedgerRow


class ValueUnknown(Exception):
    """A value that is needed was never sent, or its column was added later: what is computed of it
    stays as it is.
    """


class KnownValues(Mapping[str, Value]):
    """A row's values. Raises ValueUnknown where an unknown one is read."""

    def __init__(self, values: Row, unknown: frozenset[str]) -> None:
        self._values = values
        self._unknown = unknown

    def __getitem__(self, name: str) -> Value:
        if name in self._unknown:
            raise ValueUnknown
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def known(row: LedgerRow) -> LedgerRow:
    """The row, with values that tell when an unknown one is read."""
    return row if not row.unknown else replace(row, values=KnownValues(row.values, row.unknown))
