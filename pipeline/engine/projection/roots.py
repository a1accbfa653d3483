"""Marking all roots of a mapping: those that have a target row, or may have one."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime

from pipeline.engine.consumer.ports import Transaction
from pipeline.mapping.route import Route
from pipeline.mapping.table import LinkedKey, TableMapping
from pipeline.model.ledger import Mark


def is_root(route: Route, mark: Mark) -> bool:
    """Does the mark name a root itself."""
    return any(mapping.source == mark.kind for mapping in route.mappings)


def mark_roots(transaction: Transaction, mappings: Iterable[TableMapping], now: datetime) -> int:
    """Mark the rows whose flag is set and whose link gives a key, each once; how many marks were
    set. Where a link begins to give one later, the exchange keeps that change, which marks the row.
    """
    roots = {
        (one.source, one.only_if or "", one.key.entity if isinstance(one.key, LinkedKey) else "")
        for one in mappings
    }
    number = secrets.randbits(62)
    return sum(
        transaction.mark_table(table, number, now, only_if=flag or None, linked=entity or None)
        for table, flag, entity in sorted(roots)
    )
