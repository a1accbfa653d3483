"""All of a decision, to be compared with another."""

from __future__ import annotations

from pipeline.conflicts import codec
from pipeline.conflicts.decision import Decision, Write


def shown(decision: Decision) -> tuple[object, ...]:
    """Links and values as they are stored: 1 and true are equal, and not the same."""
    writes = [_shown(one) for one in decision.writes]
    text = codec.dump(decision.link)
    return text, writes, decision.outcome, decision.reason, decision.conflicts


def _shown(write: Write) -> tuple[object, ...]:
    values, expected = (codec.dump_values(one) for one in (write.values, write.expected))
    return write.link, write.side, write.number, write.key, values, expected
