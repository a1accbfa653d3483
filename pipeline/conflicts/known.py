"""Which lines a link knows: those whose fingerprint it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipeline.conflicts.fingerprint import compares, of_lines
from pipeline.conflicts.link import Link
from pipeline.conflicts.rules import SIDES, ColumnPair, Rules


def knows_all(link: Link, rules: Rules) -> bool:
    """Does the link know these lines, as they are now, and no other."""
    return link.lines == rules.fingerprints


def known_lines(link: Link, rules: Rules) -> Mapping[str, str]:
    """By line the fingerprint that the link was last looked at with.

    A link that an earlier version stored holds none: it knows the lines of which it has a value on
    both sides, or on the one that has a row.
    """
    if link.lines is not None:
        return link.lines
    halves = [link.side(side) for side in SIDES if link.side(side).key is not None]
    return {
        name: found
        for name, found in rules.fingerprints.items()
        if all(name in link_side.value for link_side in halves)
    }


def unknown_lines(link: Link, rules: Rules) -> tuple[ColumnPair, ...]:
    """Lines that were added since, or compare something else now."""
    if knows_all(link, rules):
        return ()
    known = known_lines(link, rules)
    return tuple(
        pair
        for pair in rules.pairs
        if compares(known.get(pair.name)) != compares(rules.fingerprints[pair.name])
    )


def known_as(link: Link) -> str:
    """One fingerprint of all lines that a link knows: links to which a line is new are found by it.

    Empty while a write is open, so that the link is found too should nobody come to it again.
    """
    is_open = any(one.is_open for one in (*link.ajera.pending, *link.dps.pending))
    return "" if is_open or link.lines is None else of_lines(link.lines)


def of_known_lines(link: Link, rules: Rules) -> Rules:
    """The rules without the lines that the link does not know: nothing is decided about them."""
    unknown = unknown_lines(link, rules)
    if not unknown:
        return rules
    return replace(
        rules,
        pairs=tuple(pair for pair in rules.pairs if pair not in unknown),
    )
