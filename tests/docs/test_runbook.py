"""The runbook: a page for each code, and nothing on it that cannot be typed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.errors import ExitCode, ParkReason, TargetBusy, UsageError, meanings
from tests.docs.runbook import FIRM, FOLDER, INDEX, UNWRITTEN, index, skeleton
from tests.support.runbook import BLOCK, SECTIONS, commands, parse, sections

PAGES = sorted(path for path in FOLDER.glob("*.md") if path != INDEX)
FENCE = re.compile(r"^```(\w*)", re.MULTILINE)


def ids(page: Path) -> str:
    return page.stem


def test_every_code_has_a_page_and_no_page_is_without_a_code() -> None:
    """Of every error and every reason to park; `make reference` writes a new one's skeleton."""
    assert {page.stem for page in PAGES} == set(meanings())
    assert {*ParkReason} | {UsageError.code, TargetBusy.code} <= set(meanings())


def test_the_index_lists_every_page_with_its_meaning() -> None:
    """`make reference` writes it."""
    assert INDEX.read_text(encoding="utf-8") == index()


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_a_page_has_its_four_sections_and_each_is_written(page: Path) -> None:
    """In the order in which the person on call needs them; none is the skeleton's."""
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.stem}\n")
    found = sections(text)
    assert tuple(found) == SECTIONS
    assert all(body.strip() for body in found.values())
    assert UNWRITTEN not in text
    assert not commands(found[FIRM]), "the first section is for those who type nothing"


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_command_of_a_page_exists_and_its_options_parse(page: Path) -> None:
    """As the program itself parses them; a block that nobody can type is not there."""
    text = page.read_text(encoding="utf-8")
    assert len(FENCE.findall(text)) == 2 * len(BLOCK.findall(text)), "every block is one of `sh`"
    for command in commands(text):
        parse(command)


@pytest.mark.parametrize(
    "command",
    ["ajera-cdc nonsense", "ajera-cdc lag --nonsense", "ajera-cdc connectors", "psql -c x"],
)
def test_a_command_that_does_not_exist_is_found(command: str) -> None:
    """So that the test above can fail."""
    with pytest.raises((click.UsageError, AssertionError)):
        parse(command)


def test_a_skeleton_is_not_taken_for_a_page() -> None:
    """It says what the table of errors says, and what is still to be written."""
    text = skeleton("target.busy")
    assert tuple(sections(text)) == SECTIONS
    assert UNWRITTEN in text


def test_explain_prints_the_page() -> None:
    """For a person as it is written, for a program under `page`."""
    shown = CliRunner().invoke(main, ["explain", "target.busy"])
    text = (FOLDER / "target.busy.md").read_text(encoding="utf-8")
    assert (shown.exit_code, shown.stdout) == (0, text)
    as_json = CliRunner().invoke(main, ["explain", "target.busy", "--json"])
    assert json.loads(as_json.stdout)["data"]["page"] == text


def test_explain_lists_the_codes_and_knows_what_was_meant() -> None:
    """A code is long, and typed at night."""
    listed = CliRunner().invoke(main, ["explain", "--json"])
    assert json.loads(listed.stdout)["data"]["codes"] == dict(sorted(meanings().items()))
    wrong = CliRunner().invoke(main, ["explain", "target.bussy"])
    assert wrong.exit_code == ExitCode.USAGE
    assert "target.busy" in wrong.stderr


def test_an_error_says_how_its_page_is_found() -> None:
    """In the last line that the terminal shows."""
    done = CliRunner().invoke(main, ["--config", "nowhere.toml", "lag"])
    assert "`ajera-cdc explain config.invalid`" in done.stderr.splitlines()[-1]
