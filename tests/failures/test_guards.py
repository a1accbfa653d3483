"""The list of guards does not fall behind the code, nor the docs behind the list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.failures.guard import Guard
from tests.failures.guards import GUARDS, TWO_WAY_GUARDS
from tests.failures.guards_capture import CAPTURE_GUARDS
from tests.failures.guards_one_way import ONE_WAY_GUARDS
from tests.failures.guards_told import TOLD_GUARDS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "guards.md"


def names(guard: Guard) -> str:
    return guard.name


@pytest.mark.parametrize("guard", GUARDS, ids=names)
def test_a_guard_stands_where_the_list_says(guard: Guard) -> None:
    """Exactly once, so that taking it out takes out that one; what is left is a program, and its
    test exists.
    """
    text = (ROOT / guard.file).read_text()
    assert text.count(guard.text) == 1
    compile(text.replace(guard.text, guard.instead), guard.file, "exec")
    path, _, function = guard.test.partition("::")
    assert f"def {function.partition('[')[0]}" in (ROOT / path).read_text()


def test_the_docs_list_every_guard_with_its_test() -> None:
    """The tables are written by hand nowhere: this is their text."""
    found = PAGE.read_text().split("|\n|---|---|---|\n")[1:]
    assert [table.partition("\n\n")[0].strip().splitlines() for table in found] == [
        list(lines(ONE_WAY_GUARDS)),
        list(lines(TWO_WAY_GUARDS)),
        list(lines(TOLD_GUARDS)),
        list(lines(CAPTURE_GUARDS)),
    ]


def lines(guards: Iterable[Guard]) -> Iterator[str]:
    for guard in guards:
        path, _, function = guard.test.partition("::")
        shown = f"`{Path(path).name}`" + (f" {function.replace('_', ' ')}" if function else "")
        yield f"| {guard.name} | `{guard.file}` | {shown} |"
