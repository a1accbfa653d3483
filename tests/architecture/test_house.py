"""The habits of the house that no linter knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pipeline.errors import PipelineError

ROOT = Path(__file__).parents[2]
CODE = sorted([*(ROOT / "pipeline").rglob("*.py"), *(ROOT / "deploy").rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LONGEST_MODULE = 300
LONGEST_FUNCTION = 40
LONGEST_WITHOUT_WORDS = 15
# Longer, with the reason.
LONG_MODULES = {
    "pipeline/domain/pim.py": (
        "the vendor's page on one screen: tables, rules, and a line for each of its lines"
    ),
    "pipeline/domain/accounting.py": (
        "the four accounting tabs on one screen, a line for each field"
    ),
    "pipeline/domain/exchange.py": (
        "the maps between Ajera and DPS on one screen, a line for each field"
    ),
    "pipeline/errors.py": "every error in one table",
}
WAITING = {
    "support",
    "bench",
    "faults",
}  # folders that drive real processes, and wait for them


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree_of(path)))


def functions(
    path: Path,
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(path: Path) -> Iterator[str]:
    """The modules that a module imports, with what it takes from them."""
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def called(call: ast.Call) -> str:
    """The last part of the name that is called."""
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


@pytest.mark.parametrize("path", CODE, ids=ids)
def test_a_module_is_short_enough_to_be_read_at_once(path: Path) -> None:
    """Or it is named here with a reason."""
    if ids(path) not in LONG_MODULES:
        assert len(path.read_text().splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("path", CODE, ids=ids)
def test_a_function_is_short(path: Path) -> None:
    """Nine in ten are far shorter."""
    for function in functions(path):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= LONGEST_FUNCTION, f"{function.name}: {length} lines"


@pytest.mark.parametrize("path", [path for path in CODE if "pipeline" in path.parts], ids=ids)
def test_production_code_checks_nothing_by_assert(path: Path) -> None:
    """Asserts vanish under -O; an input from outside gets an error with a code."""
    assert not [node for node in nodes_of(path) if isinstance(node, ast.Assert)]


@pytest.mark.parametrize("path", TESTS, ids=ids)
def test_tests_mock_nothing_and_do_not_sleep(path: Path) -> None:
    """Twins stand in for services; one helper in tests/support waits for conditions."""
    assert not [name for name in imported(path) if name.startswith("unittest")]
    if path.parent.name not in WAITING:
        assert not [
            node
            for node in nodes_of(path)
            if isinstance(node, ast.Call) and called(node) == "sleep"
        ]


@pytest.mark.parametrize(
    "path",
    [path for path in TESTS if path.name.startswith("test_")],
    ids=ids,
)
def test_every_test_claims_something_and_says_it_in_a_sentence(
    path: Path,
) -> None:
    """Names are claims, docstrings one or more sentences."""
    for function in functions(path):
        if function.name.startswith("test_"):
            assert len(function.name.split("_")) >= 3, function.name
            assert (ast.get_docstring(function) or "").endswith("."), function.name


def test_every_error_has_a_code_of_its_own_and_says_what_it_means() -> None:
    """The reference is generated from them."""
    errors = PipelineError.__subclasses__()
    codes = [error.code for error in errors]
    assert len(set(codes)) == len(codes)
    for error in errors:
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", error.code), error
        assert "code" in vars(error), error
        assert "__doc__" in vars(error), error
        assert (error.__doc__ or "").strip().endswith((".", ").")), error


@pytest.mark.parametrize("path", CODE, ids=ids)
def test_an_error_that_others_see_stands_in_the_one_module_of_errors(
    path: Path,
) -> None:
    """The reference and `status` list those; a module's own error is private, and what leaves it
    has its base's code.
    """
    errors = {
        PipelineError.__name__,
        *(error.__name__ for error in PipelineError.__subclasses__()),
    }
    for node in nodes_of(path):
        if isinstance(node, ast.ClassDef) and {ast.unparse(base) for base in node.bases} & errors:
            if ids(path) == "pipeline/errors.py":
                assert ast.unparse(node.bases[0]) == PipelineError.__name__, node.name
            else:
                assert node.name.startswith("_"), node.name


@pytest.mark.parametrize("path", [path for path in CODE if path.name != "__init__.py"], ids=ids)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    """The first line a stranger reads."""
    assert ast.get_docstring(tree_of(path))


@pytest.mark.parametrize("path", [path for path in CODE if "pipeline" in path.parts], ids=ids)
def test_a_public_class_or_longer_function_says_what_it_is_for(
    path: Path,
) -> None:
    """Short functions are told by their names; steps of a migration by its own first line."""
    if path.parent.name == "versions":
        return
    for node in tree_of(path).body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
            continue
        length = (node.end_lineno or 0) - node.lineno + 1
        if isinstance(node, ast.ClassDef) or length > LONGEST_WITHOUT_WORDS:
            assert ast.get_docstring(node), node.name


def test_unit_tests_mirror_the_packages() -> None:
    """Who looks for the tests of a package finds them under its name, as a package."""
    homes = [
        path
        for path in (ROOT / "tests" / "unit").iterdir()
        if path.is_dir() and path.name != "__pycache__"
    ]
    assert homes
    for home in homes:
        assert (
            (ROOT / "pipeline" / home.name).exists()
            or (ROOT / "pipeline" / f"{home.name}.py").exists()
            or (ROOT / home.name).exists()
        )
        assert (home / "__init__.py").exists(), home.name


def test_the_core_holds_no_rows_without_a_type() -> None:
    """What flows between decoding and the database is typed all the way."""
    for room in ("model", "mapping", "engine", "domain"):
        for path in (ROOT / "pipeline" / room).rglob("*.py"):
            assert "typing.Any" not in imported(path), ids(path)


def test_there_is_one_engine_and_no_helper_of_everything() -> None:
    """Names that say nothing gather what belongs elsewhere."""
    nothings = {
        "utils",
        "util",
        "helpers",
        "helper",
        "common",
        "base",
        "manager",
        "handler",
        "misc",
    }
    assert not [ids(path) for path in [*CODE, *TESTS] if path.stem in nothings]


def test_no_file_of_the_product_names_the_third_target() -> None:
    """Reporting lives in tests/support/reporting, and in the list of routes there."""
    product = [path for path in (ROOT / "pipeline").rglob("*") if path.suffix in {".py", ".mako"}]
    assert product
    assert not [ids(path) for path in product if "reporting" in path.read_text().lower()]


def test_the_product_names_a_route_in_its_list_alone() -> None:
    """Whatever handles a route is given it, so that a further one changes no other file."""
    named = [
        ids(path)
        for path in CODE
        if "pipeline" in path.parts and "domain" not in path.parts
        for name in imported(path)
        if name.startswith("pipeline.domain.routes.")
        and name.rpartition(".")[2] not in {"AnyRoute", "Routes", "ROUTES", "captured"}
    ]
    assert not named
    listed = [
        ids(path)
        for path in CODE
        if "pipeline" in path.parts and "pipeline.domain.routes.ROUTES" in imported(path)
    ]
    assert listed == ["pipeline/cli/main.py"]
