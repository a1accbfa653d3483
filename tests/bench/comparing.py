"""Does a table hold what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.bench.workloads import Row


def require_equal(
    table: str, held: Mapping[Any, Sequence[Any]], newest: Mapping[int, Row], columns: Sequence[str]
) -> None:
    """Raises AssertionError: a rate of rows that are not there is none."""
    wanted = {key: tuple(row.get(name) for name in columns) for key, row in newest.items()}
    found = {key: tuple(row) for key, row in held.items()}
    wrong = sum(found.get(key) != row for key, row in wanted.items())
    if wrong or len(found) != len(wanted):
        raise AssertionError(
            f"{table}: {len(found):,} rows at the target, {len(wanted):,} were sent,"
            f" {wrong:,} of them are missing or differ"
        )
