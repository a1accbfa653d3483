"""Stack traces of connectors as they come: one sentence each, without a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.connect.causes import CAUSES, Recovery
from pipeline.connect.explain import (
    explain,
    recovery_of,
    root_line,
    without_values,
)

SECTIONS = (Path(__file__).parent / "traces.txt").read_text().split("\n## ")[1:]


def trace_of(section: str) -> tuple[str, str]:
    """A section of traces.txt: its trace, and words of the sentence for it."""
    head, _, trace = section.partition("\n")
    return trace, head.partition(" => ")[2]


@pytest.mark.parametrize(
    ("trace", "words"),
    [trace_of(section) for section in SECTIONS],
    ids=[section.partition(" => ")[0] for section in SECTIONS],
)
def test_a_well_known_cause_is_told_in_one_sentence(trace: str, words: str) -> None:
    """As the connector wrote it; what is told holds nothing of what it wrote."""
    told = explain(trace)
    assert words in told
    assert told in {cause.sentence for cause in CAUSES}
    assert told.endswith(".")
    assert "\n" not in told


def test_every_cause_has_a_trace_that_leads_to_it() -> None:
    """Or nobody knows whether its pattern ever fits."""
    told = {explain(trace) for trace, _ in map(trace_of, SECTIONS)}
    assert told == {cause.sentence for cause in CAUSES}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('ERROR: invalid input: "CANARY"', "ERROR: invalid input: …"),
        (
            "Key (vecKey, vecName)=(5, CANARY) already exists",
            "Key …=… already exists",
        ),
        (
            "cannot read value CANARY of column c",
            "cannot read value … of column c",
        ),
        ("Unexpected value: CANARY", "Unexpected value: …"),
        ("user=CANARY host=CANARY", "user=… host=…"),
        ("at 2026-11-25 12:30:00 from 10.0.0.12:5432", "at … … from …"),
        ("row ['CANARY', {x: CANARY}]", "row …"),
        ("field `CANARY` of row 5", "field … of row 5"),
    ],
)
def test_an_unknown_cause_is_told_without_what_may_be_a_value(line: str, told: str) -> None:
    """Names, phone numbers and money stand in brackets, in quotes or after an equals sign."""
    assert without_values(line) == told
    assert "CANARY" not in explain(
        f"x.Y: Outer\n\tat a.B(B.java:1)\nCaused by: {line}\n\tat c.D(D.java:2)"
    )


def test_the_root_cause_is_the_last_one_named() -> None:
    """What is above it only says that something failed."""
    trace = (
        "a.A: outer\n\tat x\nCaused by: b.B: middle\n\tat y\nCaused by: c.C: inner\n\tat z\n\t... "
        "12 more"
    )
    assert root_line(trace) == "c.C: inner"


@pytest.mark.parametrize("trace", ["", " \n\t\n"])
def test_an_empty_trace_still_gives_a_sentence(trace: str) -> None:
    """Connect has none for a task that was killed."""
    assert explain(trace) == "The connector says nothing."


def test_a_long_line_is_shortened() -> None:
    """A query of pages is no sentence."""
    assert len(explain("a.A: " + "word " * 400)) == 300


def test_a_trace_of_a_megabyte_is_told_at_once() -> None:
    """No pattern runs away on it."""
    assert explain("at a.B(B.java:1)\n" * 60_000 + "Caused by: c.C: odd") == "c.C: odd"


@pytest.mark.parametrize(
    ("trace", "recovery"),
    [
        ("Connection refused by apicurio.registry.rest", Recovery.RESTART),
        ("something that nobody has seen", Recovery.RESTART),
        ("FATAL: password authentication failed for user x", Recovery.CORRECTION),
        ('publication "p" does not exist', Recovery.CORRECTION),
        ('replication slot "s" does not exist', Recovery.SNAPSHOT),
        ("history topic or its content is fully or partially missing", Recovery.SNAPSHOT),
    ],
)
def test_a_cause_says_what_ends_it(trace: str, recovery: Recovery) -> None:
    """A service that comes back, a person, or a new snapshot; and so what to type."""
    assert recovery_of(trace) is recovery
    assert "ajera-cdc connectors" in recovery.hint
