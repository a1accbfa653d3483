"""The guards of events that are decided at once, in the form of tests/failures/without.py."""

from __future__ import annotations

from tests.failures.guard import Guard

PLAIN = "pipeline/conflicts/plain.py"
BOTH = "tests/unit/conflicts/test_plain.py::test_what_is_decided_at_once_is_what_reconcile_decides"


def _plain(name: str, text: str, instead: str = "") -> Guard:
    return Guard(f"a plain event: {name}", PLAIN, text, instead, BOTH)


PLAIN_GUARDS = (
    _plain("stale", "        or applied.is_stale(mine.seen, event)\n"),
    _plain("nothing waits", "        or not _is_calm(link, mine, other)\n"),
    _plain("a pair that is exchanged", "link.parked or link.off or link.out", "link.parked"),
    _plain("all lines known", "        or not knows_all(link, rules)\n"),
    _plain(
        "whose place among our writes is known",
        "        or any(not _tells_its_place(pending, event, rules) for pending in mine.pending)\n",
    ),
    _plain("no write under way", "        or any(pending.is_open for pending in other.pending)\n"),
    _plain(
        "epoch of a write",
        " or pending.after[:EPOCH_WIDTH] < event.position[:EPOCH_WIDTH]",
    ),
    _plain(
        "no write lately whose place is not known",
        "return event.committed_at > pending.at + rules.look_window",
        "return True",
    ),
    _plain(
        "a line that was left and came back",
        " or shown != mine.observed.get(name, shown)",
    ),
    _plain(
        "no edit that our write covered",
        "if shown == (held if write is None else write.expected[name]):",
        "if False:",
    ),
    _plain("no agreement by coincidence", "        or name in link.coincident\n"),
    _plain("no line that only fills", "        or pair.only_fills\n"),
    _plain("no line that the other side owns", "        or pair.owning_side is to\n"),
    _plain("a value with a counterpart", "        or not pair.can_translate(value, to)\n"),
    _plain("what differs", "    return not pair.agrees(ajera, dps)\n", "    return True\n"),
)
