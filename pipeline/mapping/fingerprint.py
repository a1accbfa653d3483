"""A fingerprint of each map by its values: what changes nothing that it computes changes nothing
here.

Comments, docstrings, notes, formatting and other routes' maps do not count; nor does the version of
Python. What counts is the map's data, its functions' code with what they refer to, the assumptions
that they read, and which other maps give the rows that it refers to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import orjson

from pipeline.mapping.canonical import Canonical, Plain
from pipeline.mapping.mirror import StickyColumn
from pipeline.mapping.route import Route
from pipeline.mapping.site import Assumptions, Site
from pipeline.mapping.table import AwaitParent, TableMapping

# Raise it when `apply.build` or `fit.fit` gives other values for a map that did not change.
MEANING = 1


def map_fingerprints(route: Route, site: Site) -> dict[str, str]:
    """By the name of each map that is switched on."""
    return {mapping.name: map_fingerprint(mapping, route, site) for mapping in route.mappings}


def map_fingerprint(mapping: TableMapping, route: Route, site: Site) -> str:
    """Of one map. Raises TypeError where it refers to what cannot be described."""
    canonical = Canonical()
    targets = [
        mapping.target,
        *(child.target for child in mapping.children),
    ]
    described: list[Plain] = [
        MEANING,
        canonical.of(mapping),
        [canonical.of(route.target(name)) for name in targets],
        canonical.of(sorted(_giving_parents(mapping, route))),
    ]
    return _digest([*described, _assumptions(canonical, site)])


def sticky_fingerprint(column: StickyColumn, site: Site) -> str:
    """Of a sticky column: what its function computes."""
    canonical = Canonical()
    described = canonical.of(column)
    return _digest([described, _assumptions(canonical, site)])


def _giving_parents(mapping: TableMapping, route: Route) -> Iterator[str]:
    """The maps that are switched on and give rows that this one refers to."""
    parents = [
        *mapping.parents,
        *(one for child in mapping.children for one in child.parents),
    ]
    for parent in parents:
        if isinstance(parent, AwaitParent):
            for other in route.mappings:
                if (other.source, other.target) == (
                    parent.source,
                    parent.table,
                ):
                    yield f"{parent.table}: {other.name}"


def _assumptions(canonical: Canonical, site: Site) -> Plain:
    """Those whose names the functions read."""
    held = site.assumptions.model_dump(mode="json")
    return {
        name: held[name] for name in sorted(canonical.attributes & Assumptions.model_fields.keys())
    }


def _digest(described: Plain) -> str:
    return hashlib.sha256(orjson.dumps(described, option=orjson.OPT_SORT_KEYS)).hexdigest()
