"""Mappings of one source into one target row, as one: so that the row is computed and written once
for all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from pipeline.mapping.aggregate import AggregateGroups
from pipeline.mapping.table import TableMapping

T = TypeVar("T")


def merged(mappings: Sequence[TableMapping]) -> tuple[TableMapping, ...]:
    """The mappings, those with the same source, target, condition and key as one, whose `parts`
    they are.

    Raises ValueError where two of them fill one column, or one table of child rows, or call
    different groups by one name.
    """
    found: dict[object, list[TableMapping]] = {}
    for one in mappings:
        found.setdefault((one.source, one.target, one.only_if, one.key), []).append(one)
    return tuple(of[0] if len(of) == 1 else _as_one(of) for of in found.values())


def _as_one(parts: Sequence[TableMapping]) -> TableMapping:
    first = parts[0]
    filled = [line.target for part in parts for line in part.lines]
    replaced = [child.target for part in parts for child in part.children]
    twice = [name for name, count in Counter([*filled, *replaced]).items() if count > 1]
    if twice:
        names = ", ".join(part.name for part in parts)
        raise ValueError(f"{names}: several of them fill {', '.join(twice)}")
    return replace(
        first,
        name=f"{first.source} to {first.target}",
        lines=tuple(line for part in parts for line in part.lines),
        parents=_once(one for part in parts for one in part.parents),
        children=tuple(child for part in parts for child in part.children),
        paths=_once(path for part in parts for path in part.paths),
        groups=_once(group for part in parts for group in part.groups),
        grouped=_united(groups for part in parts for groups in part.grouped),
        parts=tuple(parts),
    )


def _once(of: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(of))


def _united(of: Iterable[AggregateGroups]) -> tuple[AggregateGroups, ...]:
    """Groups of one name once, with the lines of each."""
    found: dict[str, AggregateGroups] = {}
    for groups in of:
        known = found.setdefault(groups.name, groups)
        united = replace(known, lines=_once((*known.lines, *groups.lines)))
        names = [line.target for line in united.lines]
        if replace(groups, lines=united.lines) != united or len({*names}) < len(names):
            raise ValueError(f"{groups.name}: the name of different groups")
        found[groups.name] = united
    return tuple(found.values())
