"""The habits of the house that no linter knows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import PipelineError

ROOT = Path(__file__).parents[2]
CODE = sorted([*(ROOT / "pipeline").rglob("*.py"), *(ROOT / "deploy").rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LONGEST_MODULE = 300
LONGEST_FUNCTION = 45
# Longer, with the reason.
LONG_MODULES = {
    "pipeline/domain/pim.py": "the vendor's page on one screen: tables, rules, and a line for each of its lines",
    "pipeline/errors.py": "every error in one table",
    "pipeline/config.py": "every key with its text",
    "pipeline/telemetry/metrics.py": "every metric in one table",
}
LONG_FUNCTIONS = {"parts", "live_firm"}


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", CODE, ids=ids)
def test_a_module_is_short_enough_to_be_read_at_once(path: Path) -> None:
    """Or it is named here with a reason."""
    if ids(path) not in LONG_MODULES:
        assert len(path.read_text().splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("path", CODE, ids=ids)
def test_a_function_is_short(path: Path) -> None:
    """Nine in ten are far shorter."""
    for function in functions(path):
        if function.name not in LONG_FUNCTIONS:
            length = (function.end_lineno or 0) - function.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{function.name}: {length} lines"


@pytest.mark.parametrize("path", [path for path in CODE if "pipeline" in path.parts], ids=ids)
def test_production_code_checks_nothing_by_assert(path: Path) -> None:
    """Asserts vanish under -O; an input from outside gets an error with a code."""
    assert not [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)]


@pytest.mark.parametrize("path", TESTS, ids=ids)
def test_tests_mock_nothing_and_do_not_sleep(path: Path) -> None:
    """Twins stand in for services; one helper in tests/support waits for conditions."""
    text = path.read_text()
    assert "unittest" + ".mock" not in text
    if path.parent.name != "support":
        assert "time" + ".sleep(" not in text


@pytest.mark.parametrize("path", [path for path in TESTS if path.name.startswith("test_")], ids=ids)
def test_every_test_claims_something_and_says_it_in_a_sentence(path: Path) -> None:
    """Names are claims, docstrings one or more sentences."""
    for function in functions(path):
        if function.name.startswith("test_"):
            assert len(function.name.split("_")) >= 4, function.name
            assert (ast.get_docstring(function) or "").endswith("."), function.name


def test_every_error_has_a_code_of_its_own_and_says_what_it_means() -> None:
    """The reference is generated from them."""
    errors = PipelineError.__subclasses__()
    codes = [error.code for error in errors]
    assert len(set(codes)) == len(codes)
    assert all(error.__doc__ and "." in error.code for error in errors)


@pytest.mark.parametrize("path", [path for path in CODE if path.name != "__init__.py"], ids=ids)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    """The first line a stranger reads."""
    assert ast.get_docstring(ast.parse(path.read_text()))
