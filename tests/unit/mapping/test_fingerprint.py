"""What makes a map another map, and what does not."""

from __future__ import annotations

import importlib.util
import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.mapping.fingerprint import (
    map_fingerprint,
    map_fingerprints,
    sticky_fingerprint,
)
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.resources import PACKAGE

NUMBERS = itertools.count()
NAMES = [mapping.name for mapping in AJERA_TO_PIM.mappings]
MAP = '''"""A map of one table."""

from pipeline.mapping.route import Route
from pipeline.mapping.mirror import Fold, MirroredTable, StickyColumn
from pipeline.mapping.source import ColumnType, SourceColumn, SourceTable
from pipeline.mapping.table import Derived, Expression, Related, TableMapping
from pipeline.mapping.terms import prefixed
from pipeline.mapping.target import TargetColumn, TargetTable

MARK = "!"


def loud(value):
    """As it is shouted."""
    return None if value is None else value.upper() + MARK


def named(*columns, sign="-"):
    return Expression(columns, "the name", lambda row, _: sign.join(loud(row[c]) for c in columns))


def first(neighbours):
    for row in neighbours.children("T"):
        return row.values["name"]
    return None


def ever(row, site):
    return bool(row.get("flag"))


SOURCE = SourceTable(
    "T", ("id",), (SourceColumn("id", ColumnType.INTEGER), SourceColumn("name", ColumnType.TEXT))
)
TABLE = MirroredTable(
    SOURCE,
    remembered=(StickyColumn("ever", ColumnType.FLAG, Fold.EVER, ever, "was set once"),),
)
TARGET = TargetTable("R", ("Id",), (TargetColumn("Id"), TargetColumn("Name"),), rank=0)
MAPPING = TableMapping(
    name="one", entity="ones", source="T", target="R", only_if=None,
    key=Derived("Id", prefixed("t-", "id")),
    lines=(
        Derived("Name", named("name"), note="as it is shouted"),
        Related("First", ("T",), "the first of them", first),
    ),
)
ROUTE = Route("r", "R", "s", "t", (TABLE,), (TARGET,), (MAPPING,))
'''
ALIKE = {
    "a comment": ("    for row in", "    # the first alone\n    for row in"),
    "a docstring": ('    """As it is shouted."""\n', ""),
    "a module's docstring": ("A map of one table.", "One table."),
    "a note": ('note="as it is shouted"', 'note="in capitals"'),
    "words": ('"the first of them"', '"the lowest of them"'),
    "formatting": ("(row[c]) for c in columns))", "(row[c])\n        for c in columns),\n    )"),
    "an annotation": ("def loud(value):", "def loud(value: str | None) -> str | None:"),
    "a column that no line reads": (
        'SourceColumn("name", ColumnType.TEXT)',
        'SourceColumn("name", ColumnType.TEXT), SourceColumn("more", ColumnType.TEXT)',
    ),
    "the name of a function": ("first", "lowest"),
    "what is written as its default": ("only_if=None,", "only_if=None, groups=(),"),
}
OTHER = {
    "a constant": ('MARK = "!"', 'MARK = "?"'),
    "a function's code": ("value.upper()", "value.lower()"),
    "a lambda's code": ("sign.join(", "(sign + sign).join("),
    "what a closure holds": ('sign="-"', 'sign="+"'),
    "a target column": ('Derived("Name"', 'Derived("Title"'),
    "a source column": ('named("name")', 'named("id")'),
    "a table that a line needs": ('("T",), "the first', '(), "the first'),
    "a related line's code": ("return None\n\n\ndef ever", 'return ""\n\n\ndef ever'),
    "the key": ('prefixed("t-"', 'prefixed("r-"'),
    "the condition": ("only_if=None", 'only_if="ever"'),
}


Write = Callable[[str], Route]


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Write]:
    """Writes a map as a module of its own and gives its route."""
    names: list[str] = []

    def write(text: str) -> Route:
        name = f"map_of_a_test_{next(NUMBERS)}"
        file = tmp_path / f"{name}.py"
        file.write_text(text)
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        names.append(name)
        spec.loader.exec_module(module)
        route: Route = module.ROUTE
        return route

    yield write
    for name in names:
        del sys.modules[name]


def fingerprint_of(route: Route) -> str:
    return map_fingerprint(route.mappings[0], route, Site())


@pytest.mark.parametrize("change", ALIKE)
def test_what_changes_no_value_changes_no_fingerprint(change: str, written: Write) -> None:
    """A comment, a docstring, a note, formatting: the map is the same one."""
    old, new = ALIKE[change]
    assert old in MAP
    assert fingerprint_of(written(MAP)) == fingerprint_of(written(MAP.replace(old, new)))


@pytest.mark.parametrize("change", OTHER)
def test_what_changes_a_value_changes_the_fingerprint(change: str, written: Write) -> None:
    """However deep it stands."""
    old, new = OTHER[change]
    assert old in MAP
    assert fingerprint_of(written(MAP)) != fingerprint_of(written(MAP.replace(old, new)))


def test_a_sticky_column_has_a_fingerprint_of_its_own(written: Write) -> None:
    """Its function decides, and nothing beside it."""
    texts = (
        MAP,
        MAP.replace("was set once", "set"),
        MAP.replace('bool(row.get("flag"))', 'row.get("flag") == 1'),
    )
    one, noted, other = (written(text).sources[0].remembered[0] for text in texts)
    assert sticky_fingerprint(one, Site()) == sticky_fingerprint(noted, Site())
    assert sticky_fingerprint(one, Site()) != sticky_fingerprint(other, Site())


def test_a_map_is_known_by_its_values_under_every_version_of_python(written: Write) -> None:
    """Held by its text: seen alike under 3.11, 3.12 and 3.13."""
    assert fingerprint_of(written(MAP))[:16] == "7f91081ce2e2acec"


def test_only_the_maps_that_read_an_assumption_change_with_it() -> None:
    """Employees read the name of our own organization; projects their statuses' texts."""
    before = map_fingerprints(AJERA_TO_PIM, Site())
    for changed, names in (
        ({"internal_organization": "We"}, {"employee"}),
        ({"address_separator": "; "}, {"client", "vendor"}),
        ({"status_texts": {0: "New"}}, {"project"}),
        ({"prefilled_title": "?"}, {"employee", "contact"}),
    ):
        assumptions = Site().assumptions.model_copy(update=changed)
        after = map_fingerprints(AJERA_TO_PIM, Site(assumptions=assumptions))
        assert {name for name in NAMES if before[name] != after[name]} == names


def test_only_the_maps_that_refer_to_its_rows_change_with_a_map_that_is_switched_off() -> None:
    """Contacts refer to vendors' rows, projects to employees'."""
    before = map_fingerprints(AJERA_TO_PIM, Site())
    entities = {mapping.entity for mapping in AJERA_TO_PIM.mappings}
    for off, names in (("vendors", {"contact"}), ("employees", {"project"}), ("projects", set())):
        after = map_fingerprints(AJERA_TO_PIM.only(frozenset(entities - {off})), Site())
        assert {name for name in after if before[name] != after[name]} == names


def test_a_line_that_is_taken_out_changes_its_own_map_alone() -> None:
    """Clients and vendors share the lines of an organization, and each has its own."""
    first, *others = AJERA_TO_PIM.mappings
    shorter = replace(AJERA_TO_PIM, mappings=(replace(first, lines=first.lines[1:]), *others))
    before, after = (map_fingerprints(route, Site()) for route in (AJERA_TO_PIM, shorter))
    assert {name for name in NAMES if before[name] != after[name]} == {"client"}


def test_a_comment_anywhere_and_a_change_of_another_systems_map_change_nothing_for_pim(
    tmp_path: Path,
) -> None:
    """The program with PIM's modules commented, and DPS's map changed, has PIM's fingerprints."""
    copied = shutil.copytree(PACKAGE, tmp_path / "pipeline", ignore=shutil.ignore_patterns("__py*"))
    for file in copied.glob("mapping/*.py"):
        file.write_text(f"# A comment.\n{file.read_text()}\n# Another one.\n")
    for file in copied.glob("domain/*.py"):
        file.write_text(f"{file.read_text()}\n# Another one.\n\nADDED = 1\n")
    exchange = copied / "domain" / "exchange.py"
    changed = exchange.read_text().replace("len(name) > 40", "len(name) > 41")
    assert changed != exchange.read_text()
    exchange.write_text(changed)
    told = (
        "import json; from pipeline.domain.routes import AJERA_TO_PIM as route;"
        "from pipeline.mapping.site import Site; from pipeline.mapping import fingerprint;"
        "print(json.dumps([fingerprint.__file__, fingerprint.map_fingerprints(route, Site())]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", told], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    file, found = json.loads(done.stdout)
    assert Path(file).is_relative_to(tmp_path)
    assert found == map_fingerprints(AJERA_TO_PIM, Site())
