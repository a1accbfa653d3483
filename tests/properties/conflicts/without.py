"""Each guard of the product, and what stands in its place when it is taken out:
a process that does not know it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import ModuleType

import pytest

from pipeline.conflicts import guards, lines, settle
from pipeline.conflicts.decision import GivenUp
from pipeline.conflicts.first import FirstDecision, LineOutcome
from pipeline.conflicts.link import Link, State
from pipeline.conflicts.rules import Rules
from pipeline.model import applied
from tests.properties.conflicts import changing, consumer


@dataclass(frozen=True, slots=True)
class Removal:
    """The guard's place in the product, and a function that never guards. `runs`:
    enough to see a property break.
    """

    module: ModuleType
    function: str
    instead: Callable[..., object]
    runs: int
    only: str | None = None  # the line that people edit in those worlds


REMOVALS: dict[str, Removal] = {
    "stale": Removal(applied, "is_stale", lambda seen, event: False, 200),
    "shadow": Removal(guards, "is_covered_by", lambda pending, position: False, 400),
    "epoch of a write": Removal(guards, "in_epoch_of", lambda event, pending: pending, 4_000),
    "compare": Removal(
        guards,
        "still_holds",
        lambda expected, row, side, rules: frozenset(expected),
        400,
    ),
    "settle": Removal(settle, "recalled", lambda number, recorded: GivenUp(number), 400),
    "fence": Removal(consumer, "may_carry_out", lambda recorded: True, 4_000),
    "coincident": Removal(
        guards,
        "is_overtaken",
        lambda link, pair, contender, rules: False,
        4_000,
    ),
    "coincident under MANUAL": Removal(
        guards,
        "may_be_unaware",
        lambda link, pair, contender, rules: False,
        2_000,
        only="z",
    ),
    "covered edit": Removal(
        guards,
        "overwrote_edit",
        lambda pending, name, observed, image, at: False,
        4_000,
    ),
    "look": Removal(guards, "confirmed_by_row", lambda image, name, row: True, 4_000),
    "ended": Removal(
        guards,
        "can_relink",
        lambda link, event: link is None or link.state is State.ENDED,
        4_000,
    ),
}


def _knows_all(link: Link, *others: object) -> lines.LinesUpdate:
    """Every line counts as known, as it was before links had fingerprints."""
    rules = others[-1]
    assert isinstance(rules, Rules)
    return lines.LinesUpdate(replace(link, lines=rules.fingerprints))


# What is seen only in worlds whose lines change (changed.py).
LINE_REMOVALS: dict[str, Removal] = {
    "a look at both rows": Removal(changing, "update_lines", _knows_all, 400),
    "a new line is decided": Removal(
        lines,
        "decide_first",
        lambda link, *_: FirstDecision(link, LineOutcome.IGNORED),
        400,
    ),
    "another rule takes effect": Removal(lines, "apply_rule", lambda link, *_: (link, ()), 2_000),
    "a line that begins to flow": Removal(lines, "asking", lambda line: frozenset(), 2_000),
    "a removed line is forgotten": Removal(
        lines, "forget_lines", lambda link, names, now: (link, ()), 8_000
    ),
    "lines of a row that is being created": Removal(
        lines,
        "known_before",
        lambda link, rules: replace(link, lines=rules.fingerprints),
        8_000,
    ),
}


@contextmanager
def without(name: str) -> Iterator[None]:
    """The product with one guard taken out."""
    removal = (REMOVALS | LINE_REMOVALS)[name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(removal.module, removal.function, removal.instead)
        yield
