"""The plain event, decided at once: as `reconcile` decides it, over links in any state."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

from pipeline.conflicts import codec
from pipeline.conflicts.decision import Reason
from pipeline.conflicts.link import Desired, LinkSide, Obstacle, Parked, Pending, State
from pipeline.conflicts.plain import PlainDecision, decide_plain
from pipeline.conflicts.reconcile import needs_look, reconcile
from pipeline.model.event import Event, Value
from tests.support.decided import require_settled_alike, shown, shown_at_once
from tests.unit.conflicts.build import AJERA, DPS, RULES, after, event, linked, seconds

CASES = 8_000
PLAIN = (Reason.EDITED, Reason.ECHO, Reason.UNCHANGED)
NOW = seconds(100)
NAMES = tuple(RULES.by_name)
VALUES: tuple[Value, ...] = ("old", "new", "nowhere", None, "longer than ten")
ODD = 0.06  # how often a field of the link is not as it mostly is
RULES_WITHOUT = replace(  # a line that only fills, and one whose value may have no counterpart
    RULES,
    pairs=tuple(
        replace(one, only_fills=True)
        if one.name == "total"
        else replace(one, can_translate=lambda value, to: value != "nowhere")
        if one.name == "name"
        else one
        for one in RULES.pairs
    ),
)


class Drawn:
    """A link in some state, and an event of it."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        window = rng.choice((RULES.look_window, timedelta(seconds=1)))
        self.rules = replace(rng.choice((RULES, RULES_WITHOUT)), look_window=window)
        self.side = rng.choice((AJERA, DPS))
        link = linked()
        self.link = replace(
            link,
            ajera=self._side(link.ajera),
            dps=self._side(link.dps),
            state=State.ENDED if self._is_odd() else State.LINKED,
            number=rng.randrange(9),
            lines={} if self._is_odd() else self.rules.fingerprints,
            parked={self._name(): Parked("a", "b", NOW, "x")} if self._is_odd() else {},
            coincident=frozenset(rng.sample(NAMES, 4)) if self._is_odd() else frozenset(),
            kept=frozenset(rng.sample(NAMES, 2)) if self._is_odd() else frozenset(),
            off=frozenset({rng.choice((AJERA, DPS))}) if self._is_odd() else frozenset(),
            out=frozenset({rng.choice((AJERA, DPS))}) if self._is_odd() else frozenset(),
            obstacle=Obstacle.KEY_TAKEN if self._is_odd() else None,
        )

    def event(self) -> Event:
        """Some lines changed, most often none or one; some columns are not sent."""
        rng = self._rng
        lines = {self._name(): rng.choice(VALUES) for _ in range(rng.choice((0, 0, 1, 1, 2)))}
        made = event(
            self.link,
            self.side,
            rng.choice((0, 3, 4, 5, 6, 7, 7, 7)),
            rng.choice("uuuuuuucrd"),
            epoch=2 if self._is_odd() else 1,
            lines=dict.fromkeys(NAMES, "old") | lines,
        )
        if self._is_odd():
            return replace(made, row=dict(list(made.row.items())[1:]))
        return made

    def held(self, found: PlainDecision) -> dict[str, Value]:
        """What the row holds after the decision's write: mostly what was written, of all lines."""
        values = {} if found.write is None else dict(found.write.values)
        if values and self._is_odd():
            values[next(iter(values))] = self._rng.choice(VALUES)
        if values and self._is_odd():
            values.popitem()
        return values

    def _side(self, link_side: LinkSide) -> LinkSide:
        rng = self._rng
        value = dict(link_side.value)
        if self._is_odd():
            del value[self._name()]
        if self._is_odd():
            value[self._name()] = "new"
        observed = value | ({self._name(): "new"} if self._is_odd() else {})
        pending = [self._pending(number) for number in range(rng.choice((0, 0, 1, 1, 2)))]
        return replace(
            link_side,
            value=value,
            observed=observed,
            pending=tuple(pending),
            edited_at={self._name(): seconds(rng.choice((0, 2, 9)))},
            dirty=frozenset({self._name()} & value.keys()) if self._is_odd() else frozenset(),
            wanted={
                name: Desired("new", NOW, is_decided=rng.random() < 0.5)
                for name in ({self._name()} & value.keys() if self._is_odd() else ())
            },
        )

    def _pending(self, number: int) -> Pending:
        rng = self._rng
        names = rng.sample(NAMES, 2)
        known = after(rng.choice((3, 5, 8)), epoch=2 if self._is_odd() else 1)
        return Pending(
            0 if self._is_odd() else number + 1,
            dict.fromkeys(names, rng.choice(VALUES)),
            dict.fromkeys(names[: rng.choice((0, 1, 2))], rng.choice(VALUES)),
            seconds(rng.choice((3, 5, 8))),
            is_open=self._is_odd(),
            after=None if self._is_odd() else known,
        )

    def _name(self) -> str:
        return self._rng.choice(NAMES)

    def _is_odd(self) -> bool:
        return self._rng.random() < ODD


def test_what_is_decided_at_once_is_what_reconcile_decides() -> None:
    """Link as it is stored, writes, outcome, reason and log; nothing where reconcile must look at
    the row or refuses; and both ways are taken often.
    """
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng, ended = random.Random(seed), Counter[str]()
    for _ in range(CASES):
        drawn = Drawn(rng)
        made = drawn.event()
        document = codec.document_of(codec.dump(drawn.link))
        found = decide_plain(document, drawn.side, made, drawn.rules)
        if found is None:
            ended["not plain"] += 1
            continue
        assert not needs_look(drawn.link, made, drawn.rules)
        general = reconcile(drawn.link, made, NOW, drawn.rules)
        assert shown_at_once(found, NOW) == shown(general)
        require_settled_alike(found, general, NOW, drawn.rules, drawn.held(found))
        ended[found.reason] += 1
    assert min(ended[one] for one in ("not plain", *PLAIN)) > CASES / 100
