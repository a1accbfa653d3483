"""All of a decision, to be compared with another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pipeline.conflicts import codec, line_values
from pipeline.conflicts.decision import Applied, Decision, Write
from pipeline.conflicts.plain import PlainDecision, asked, carried_out
from pipeline.conflicts.rules import Rules
from pipeline.conflicts.settle import settle
from pipeline.model.event import Value


def shown(decision: Decision) -> tuple[object, ...]:
    """Links and values as they are stored: 1 and true are equal, and not the same."""
    writes = [_shown(one) for one in decision.writes]
    text = _as_read(codec.dump(decision.link))
    return text, writes, decision.outcome, decision.reason, decision.conflicts


def shown_at_once(found: PlainDecision, now: datetime) -> tuple[object, ...]:
    """The same of a plain event's."""
    write = found.write
    document = found.document if write is None else asked(found, write, now)
    text = _as_read(line_values.text_of(document))
    writes = [] if write is None else [_shown(write)]
    return text, writes, found.outcome, found.reason, ()


def require_settled_alike(
    found: PlainDecision, general: Decision, at: datetime, rules: Rules, held: Mapping[str, Value]
) -> None:
    """Raises AssertionError where a write that the row now holds as `held` leaves another link than
    `settle` does; nothing is settled at once where a line of it was not written.
    """
    write = found.write
    if write is None:
        return
    outcome = Applied(write.number, held, "00000001" + "f" * 16, at, epoch=1)
    document = carried_out(found, write, outcome)
    if held.keys() != write.values.keys():
        assert document is None
        return
    assert document is not None
    settled = settle(general.link, write.side, outcome, rules)
    assert settled.conflicts == ()
    assert _as_read(line_values.text_of(document)) == _as_read(codec.dump(settled.link))


def _as_read(text: str) -> str:
    return codec.dump(codec.load(text))


def _shown(write: Write) -> tuple[object, ...]:
    values, expected = (line_values.dump_values(one) for one in (write.values, write.expected))
    return write.link, write.side, write.number, write.key, values, expected
