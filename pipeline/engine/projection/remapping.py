"""A changed map is applied to the rows that are there: its roots are marked once, from the mirror.

The state keeps the fingerprint of each map that was applied, with the release that applied it.
While two releases run side by side, the older one marks nothing of a map that a newer one applied,
or each start would undo the other's. After a real rollback the operator says so
(`ajera-cdc mappings recompute`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from pipeline.engine.consumer.ports import Transaction
from pipeline.engine.projection.roots import mark_roots
from pipeline.mapping.fingerprint import map_fingerprints
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site

APPLIED_MAPS = "applied_maps"  # the setting's name
OFF = ""


@dataclass(frozen=True, slots=True)
class AppliedMapping:
    """A map as it was applied last; `fingerprint` is "" for one that is switched off."""

    fingerprint: str
    release: str


@dataclass(frozen=True, slots=True)
class Remapped:
    """`recomputed`: maps whose roots were marked. `left`: maps that a newer release applied in
    another form, which stays.
    """

    recomputed: tuple[str, ...]
    left: tuple[str, ...]


def remap(
    transaction: Transaction,
    route: Route,
    site: Site,
    release: str,
    now: datetime,
    *,
    is_rollback: bool = False,
    is_whole: bool = False,
) -> Remapped:
    """Mark the roots of the maps that are not as they were applied last, and store them as applied.

    `is_rollback`: also those that a newer release applied. `is_whole`: of all maps.
    """
    applied = _stored(transaction.setting(APPLIED_MAPS))
    wanted = {
        **dict.fromkeys(applied, OFF),
        **map_fingerprints(route, site),
    }
    changed = {name for name in wanted if is_whole or _is_changed(applied.get(name), wanted[name])}
    left = {
        name
        for name in changed
        if name in applied and not is_rollback and _is_older(release, applied[name].release)
    }
    for name in sorted(changed - left):
        applied[name] = AppliedMapping(wanted[name], release)
    recomputed = changed - left - {name for name in changed if wanted[name] == OFF}
    mark_roots(transaction, [one for one in route.mappings if one.name in recomputed], now)
    if changed - left:
        transaction.set_setting(APPLIED_MAPS, _text(applied))
    return Remapped(tuple(sorted(recomputed)), tuple(sorted(left)))


def _is_changed(applied: AppliedMapping | None, fingerprint: str) -> bool:
    return applied is None or applied.fingerprint != fingerprint


def _is_older(release: str, other: str) -> bool:
    return tuple(_numbers(release)) < tuple(_numbers(other))


def _numbers(release: str) -> Iterator[int]:
    return (int(part) for part in re.findall(r"\d+", release))


def _stored(text: str | None) -> dict[str, AppliedMapping]:
    found = {} if text is None else json.loads(text)
    return {name: AppliedMapping(**held) for name, held in found.items()}


def _text(applied: Mapping[str, AppliedMapping]) -> str:
    return json.dumps({name: asdict(held) for name, held in sorted(applied.items())})
