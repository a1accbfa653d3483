"""Every command that changes something leaves an audit line: by one declared property."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from pipeline.cli.audited import HIDDEN, RowValue
from pipeline.cli.command import Command
from pipeline.cli.main import main
from pipeline.cli.values import Name
from pipeline.config.load import load
from pipeline.domain.routes import ROUTES
from pipeline.model.audit import Changes
from pipeline.operations.audit import concerned

SETTINGS = """
[sources.ajera]
database = "postgresql+psycopg://reader:hunter2@127.0.0.1:1/ajera"
version = "9.08"
[sources.dps]
database = "postgresql+psycopg://both:hunter2@127.0.0.1:1/dps"
[routes.pim]
database = "postgresql+psycopg://writer:hunter2@127.0.0.1:1/pim"
[routes.dps]
employees = "none"
consultants = "none"
[kafka]
bootstrap_servers = "127.0.0.1:1"
[connect]
url = "http://127.0.0.1:1"
"""
# Reviewed: these read, or print, and nothing more. Another command declares what it changes.
READS = {
    "audit",
    "backfill status",
    "check",
    "config show",
    "config template",
    "conflicts list",
    "conflicts show",
    "explain",
    "connectors status",
    "lag",
    "mappings show",
    "reference",
    "schema show",
    "status",
}
# Reviewed: texts that name something. What a row holds is a RowValue.
NAMES = {
    "backfill start table",
    "conflicts resolve line",
    "conflicts resolve link_id",
    "replay topic",
    "skip offsets",
    "skip topic",
}
SAMPLES = {
    "to_time": "2026-11-25T08:00:00Z",
    "topic": "ajera.AxVec",
    "table": "AxVec",
    "source": "ajera",
}


def commands(
    command: click.Command = main, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, Command]]:
    """Every command that does something, with its words."""
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, (*path, name))
    else:
        assert isinstance(command, Command), f"{path} is not made by `command`"
        yield " ".join(path), command


AUDITED = {path: one for path, one in commands() if one.changes.is_audited}
CALLED = sorted(path for path, _ in commands() if path not in {*AUDITED, "run"})


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of both routes, whose services are unavailable; nothing is waited for long."""
    monkeypatch.setattr("pipeline.kafka.admin.REQUEST_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr("pipeline.operations.link.PATIENCE_SECONDS", 0.1)
    path = tmp_path / "ajera-cdc.toml"
    path.write_text(SETTINGS)
    return path


def call(config: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(config), *words])


def lines(result: Result, action: str = "audit") -> list[dict[str, Any]]:
    """What was logged under an action."""
    found = [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]
    return [line for line in found if line["action"] == action]


def words_of(command: Command) -> list[str]:
    """Something for each argument and option that must be given, and no question."""
    words: list[str] = []
    for parameter in command.params:
        if not parameter.required and parameter.name != "yes":
            continue
        option = [parameter.opts[-1]] if isinstance(parameter, click.Option) else []
        is_flag = isinstance(parameter, click.Option) and parameter.is_flag
        words += option + ([] if is_flag else [SAMPLES.get(parameter.name or "", "1")])
    return words


def test_a_command_that_is_not_known_to_read_alone_declares_what_it_changes() -> None:
    """`run` changes what its events say; everything else is audited."""
    reading = {path for path, one in commands() if one.changes is Changes.NOTHING}
    assert reading == READS
    assert {path for path, one in commands() if one.changes is Changes.BY_EVENTS} == {"run"}


@pytest.mark.parametrize("path", sorted(AUDITED))
def test_a_command_that_changes_something_leaves_a_line_however_it_ends(
    path: str, config: Path
) -> None:
    """Here it fails, for every service is unavailable; so is the state that would keep it."""
    result = call(config, *path.split(), *words_of(AUDITED[path]))
    assert result.exit_code != 0
    (line,) = lines(result)
    assert line["command"] == path
    assert line["outcome"] not in ("ok", "internal.unexpected")
    assert "@" in line["who"]
    routes = {state.database for state in concerned_by(path, config)}
    assert {kept["route"] for kept in lines(result, "audit line not kept")} == routes
    assert routes
    assert "hunter2" not in result.output


def concerned_by(path: str, config: Path) -> tuple[Any, ...]:
    command = AUDITED[path]
    options = {"source": "ajera"} if "source" in names(command) else {}
    return concerned(load(config, {}, ROUTES), command.changes, options)


@pytest.mark.parametrize(
    "path", sorted(path for path, _ in commands() if path not in {*AUDITED, "run"})
)
def test_a_command_that_only_reads_leaves_none(path: str, config: Path) -> None:
    """So that the lines are few, and each says that something changed."""
    words = ["1"] if path == "conflicts show" else []
    words += ["--only", "Connect"] if path == "check" else []
    assert lines(call(config, *path.split(), *words)) == []


def test_a_rehearsal_leaves_none(config: Path) -> None:
    """Whatever has --dry-run."""
    rehearsed = [path for path, one in AUDITED.items() if "dry_run" in names(one)]
    assert {"link", "replay"} <= set(rehearsed)
    for path in rehearsed:
        words = [word for word in words_of(AUDITED[path]) if word != "--yes"]
        assert lines(call(config, *path.split(), *words, "--dry-run")) == []


def names(command: Command) -> set[str]:
    return {one.name or "" for one in command.params}


def test_the_line_says_what_was_typed_and_hides_what_a_row_holds(config: Path) -> None:
    """A value that somebody decides for is a person's name, or money."""
    result = call(config, "conflicts", "resolve", "link-1", "name", "--value", "Jane Doe", "--json")
    (line,) = lines(result)
    assert line["arguments"] == f"link-1 name --value '{HIDDEN}'"
    assert "Jane" not in result.output


def test_every_text_that_a_line_shows_was_reviewed() -> None:
    """Numbers, flags and choices are no row values; a free text could be."""
    free = {
        f"{path} {one.name}"
        for path, command in AUDITED.items()
        for one in command.params
        if (one.type is click.STRING or isinstance(one.type, Name))
        and not isinstance(one, RowValue)
    }
    assert free == NAMES


def test_a_connector_concerns_the_routes_that_read_its_source(config: Path) -> None:
    """DPS's is none of PIM's."""
    settings = load(config, {}, ROUTES)
    for source, routes in (("ajera", ["pim", "dps"]), ("dps", ["dps"])):
        found = concerned(settings, Changes.SOURCE, {"source": source})
        assert [state.database for state in found] == routes
    assert [one.database for one in concerned(settings, Changes.ROUTE, {"route": "dps"})] == ["dps"]
