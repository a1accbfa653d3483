"""Following the links that give keys: a root is marked when its link begins or ends to give one.

The exchange keeps what changed in the transaction in which it stores the link. Taking a change and
setting the mark is one transaction, too, and the recompute reads the link after the mark.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from pipeline.engine.consumer.ports import Transaction
from pipeline.engine.projection import guard
from pipeline.engine.projection.roots import mark_roots
from pipeline.mapping.route import Route
from pipeline.mapping.watches import followed, link_kinds
from pipeline.model.ledger import Mark


def follow(transaction: Transaction, route: Route, now: datetime) -> None:
    """From now on this route is told what changes; the roots of which it was not are marked."""
    if not route.followed:
        return
    new = transaction.follow_links(route.followed)
    told = [one for one in route.mappings if new & followed(one)]
    mark_roots(transaction, told, now)


def take(transaction: Transaction, route: Route, limit: int, now: datetime) -> list[Mark]:
    """Mark the roots whose link changed, and what other roots are found by; the marks."""
    changed = transaction.take_link_changes(limit)
    pairs = {
        (kind, key)
        for mapping in route.mappings
        for of, kind in link_kinds(mapping)
        for entity, key in changed
        if of == entity
    }
    marks = guard.numbered(pairs, secrets.randbits(62))
    transaction.mark(marks, now)
    return marks
