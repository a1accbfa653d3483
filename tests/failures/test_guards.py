"""The list of guards does not fall behind the code, nor the docs behind the list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.failures.without import GUARDS, ROOT, Guard

PAGE = ROOT / "docs" / "explanation" / "guards.md"


def names(guard: Guard) -> str:
    return guard.name


@pytest.mark.parametrize("guard", GUARDS, ids=names)
def test_a_guard_stands_where_the_list_says(guard: Guard) -> None:
    """Exactly once, so that taking it out takes out that one; and its test exists."""
    assert (ROOT / guard.file).read_text().count(guard.text) == 1
    path, _, function = guard.test.partition("::")
    assert f"def {function.partition('[')[0]}" in (ROOT / path).read_text()


def test_the_docs_list_every_guard_with_its_test() -> None:
    """The table is written by hand nowhere: this is its text."""
    assert PAGE.read_text().split("|\n|---|---|---|\n", 1)[1] == "".join(lines())


def lines() -> Iterator[str]:
    for guard in GUARDS:
        path, _, function = guard.test.partition("::")
        shown = f"`{Path(path).name}`" + (f" {function.replace('_', ' ')}" if function else "")
        yield f"| {guard.name} | `{guard.file}` | {shown} |\n"
