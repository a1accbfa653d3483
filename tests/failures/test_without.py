"""The trial of guards sees a guard that nothing holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.failures.guard import Guard
from tests.failures.without import Trial

CODE = """def is_even(number: int) -> bool:
    if number < 0:
        raise ValueError
    return number % 2 == 0
"""
TEST = """from pipeline.numbers import is_even


def test_odd_is_not_even() -> None:
    assert not is_even(3)


def test_it_is_even_always() -> None:
    assert is_even(3)
"""
FILE, TESTS = "pipeline/numbers.py", "tests/test_numbers.py"
ODD, ALWAYS = f"{TESTS}::test_odd_is_not_even", f"{TESTS}::test_it_is_even_always"
HELD = Guard("held", FILE, "number % 2 == 0", "True", ODD)
UNSEEN = Guard("unseen", FILE, "    if number < 0:\n        raise ValueError\n", "", ODD)
BROKEN = Guard("broken", FILE, "number % 2 == 0", "nothing", ODD)
RED_WITH_IT = Guard("red with it", FILE, "number % 2 == 0", "True", ALWAYS)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A program of one function."""
    for name, text in ((FILE, CODE), (TESTS, TEST)):
        file = tmp_path / name
        file.parent.mkdir()
        (file.parent / "__init__.py").touch()
        file.write_text(text)
    return tmp_path


def trial(tree: Path) -> Trial:
    return Trial(tree, lambda line: None)


def test_a_guard_is_held_only_if_its_test_is_green_with_it_and_red_without(tree: Path) -> None:
    """A program that is broken without it says nothing."""
    wrong = trial(tree).run([HELD, UNSEEN, BROKEN, RED_WITH_IT])
    assert {one.guard.name: one.reason.partition(":")[0] for one in wrong} == {
        "unseen": "green without it",
        "broken": "broken without it, not unguarded",
        "red with it": "red with it",
    }


def test_what_was_held_is_not_tried_again_until_its_files_change(tree: Path) -> None:
    """A run that was stopped continues; what was not held is tried again."""
    assert len(trial(tree).run([HELD, UNSEEN])) == 1
    again = trial(tree)
    assert len(again.run([HELD, UNSEEN])) == 1
    assert again.done == 1
    (tree / FILE).write_text(CODE + "\n")
    changed = trial(tree)
    changed.run([HELD])
    assert changed.done == 1
