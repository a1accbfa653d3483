"""The version gate."""

from __future__ import annotations

import pytest

from pipeline.conflicts.version import is_two_way, parse
from pipeline.errors import AjeraVersionInvalid, ExitCode


@pytest.mark.parametrize(
    "text",
    [
        "8.09",
        "8.9",
        "8.9.0",
        " 8.09 ",
        "8.9.1",
        "8.10",
        "9",
        "9.08",
        "10.0",
    ],
)
def test_from_8_09_on_both_ways(text: str) -> None:
    """Parts compare as numbers, so 8.10 and 10.0 are newer than 8.9."""
    assert is_two_way(parse(text))


@pytest.mark.parametrize("text", ["8.08", "8.8.99", "8", "7.99", "0"])
def test_below_8_09_one_way(text: str) -> None:
    """Whatever comes before 8.09 sends from DPS to Ajera only."""
    assert not is_two_way(parse(text))


def test_8_9_is_8_09_and_8_9_1_is_newer() -> None:
    """Leading zeros of a part say nothing; a further part does."""
    assert parse("8.9") == parse("8.09") == parse("8.9.0")
    assert parse("8.09") < parse("8.9.1") < parse("8.10") < parse("9")
    assert str(parse("8.09")) == "8.9"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "8.",
        ".9",
        "8..9",
        "v8.09",
        "8.09b",
        "8,09",
        "-8.9",
        "٨.٩",
        "8.9999999999",
    ],
)
def test_nonsense_is_refused_as_configuration(text: str) -> None:
    """What is not numbers between dots ends the command with exit code 2."""
    with pytest.raises(AjeraVersionInvalid) as caught:
        parse(text)
    assert (caught.value.code, caught.value.exit_code) == (
        "config.version",
        ExitCode.USAGE,
    )
