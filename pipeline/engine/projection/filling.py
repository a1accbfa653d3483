"""Sticky columns that were added: what the last images tell for certain is filled in before
anything is read, so that rows need not wait for their next event.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from pipeline.engine.consumer.ports import Target
from pipeline.engine.projection import guard
from pipeline.engine.projection.stage import mark_kinds
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site

ROWS_A_PAGE = 1_000


def fill_sticky(target: Target, route: Route, site: Site, now: datetime) -> int:
    """Fill in sticky columns that are not known in every row, page by page; how many rows."""
    with target.transaction() as transaction:
        unknown = transaction.unknown_columns()
    filled = 0
    for table in route.sources:
        if any((table.name, one.name) in unknown for one in table.remembered):
            last: str | None = ""
            while last is not None:
                count, last = _fill_page(target, route, table, site, last, now)
                filled += count
    return filled


def _fill_page(
    target: Target,
    route: Route,
    table: MirroredTable,
    site: Site,
    after: str,
    now: datetime,
) -> tuple[int, str | None]:
    """How many rows were filled in, and the last key of the page; None after the last page."""
    with target.transaction() as transaction:
        rows = transaction.lock_page(table.name, after, ROWS_A_PAGE)
        filled = [(row, guard.with_sticky(table, site, row)) for row in rows]
        changed = [(row, new) for row, new in filled if new is not row]
        if changed:
            transaction.write_rows([new for _, new in changed])
            pairs = {
                pair for row, new in changed for pair in mark_kinds(route).marks(table, row, new)
            }
            transaction.mark(guard.numbered(pairs, secrets.randbits(62)), now)
    return len(changed), rows[-1].key if rows else None
