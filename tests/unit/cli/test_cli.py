"""The command line: one form of answers, one place from error to exit code,
and help that a person can read.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from pipeline.cli.command import answer
from pipeline.cli.main import main
from pipeline.cli.output import Outcome, columns
from pipeline.cli.start import INTERRUPTED
from pipeline.errors import ExitCode, TargetBusy

SETTINGS = """
[sources.ajera]
database = "postgresql+psycopg://reader:hunter2@127.0.0.1:1/ajera"
[routes.pim]
database = "postgresql+psycopg://writer:hunter2@127.0.0.1:1/pim"
"""


def call(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A settings file whose services are all away;
    the broker is given up after a second instead of ten.
    """
    monkeypatch.setattr("pipeline.kafka.admin.REQUEST_TIMEOUT_SECONDS", 1.0)
    path = tmp_path / "ajera-cdc.toml"
    path.write_text(SETTINGS)
    return str(path)


def commands(
    command: click.Command = main, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Every command that does something, as its words."""
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, (*path, name))
    else:
        yield path


@pytest.mark.parametrize("path", sorted(commands()), ids=" ".join)
def test_every_command_has_help_and_takes_json(
    path: tuple[str, ...],
) -> None:
    """A sentence on what it does, and --json."""
    result = call(*path, "--help")
    assert result.exit_code == 0
    assert "--json" in result.output
    assert len(result.output.splitlines()[2].strip()) > 10


def test_the_program_as_a_process_ends_with_the_exit_code_and_prints_the_answer() -> None:
    """Every other test calls it in this process."""
    words = [
        "-m",
        "pipeline.cli.main",
        "--config",
        "nowhere.toml",
        "lag",
        "--json",
    ]
    done = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == ExitCode.USAGE
    assert json.loads(done.stdout)["error"]["code"] == "config.invalid"
    assert done.stderr == ""


def test_a_missing_settings_file_ends_with_the_code_for_configuration() -> None:
    """The sentence says how to get one."""
    result = call("--config", "nowhere.toml", "lag", "--json")
    error = json.loads(result.output)["error"]
    assert result.exit_code == ExitCode.USAGE
    assert error["code"] == "config.invalid"
    assert "config template" in error["message"]


def test_an_unknown_option_ends_with_the_code_for_usage() -> None:
    """As every other wrong call; with --json in the same form as every other error."""
    assert call("lag", "--nonsense").exit_code == ExitCode.USAGE
    result = call("lag", "--nonsense", "--json")
    assert result.exit_code == ExitCode.USAGE
    envelope = json.loads(result.stdout)
    assert (
        envelope["ok"],
        envelope["command"],
        envelope["error"]["code"],
    ) == (False, "lag", "cli.usage")
    assert "--nonsense" in envelope["error"]["message"]


def test_no_command_at_all_shows_what_there_is() -> None:
    """On standard error, as wrong usage."""
    result = call()
    assert result.exit_code == ExitCode.USAGE
    assert result.stdout == ""
    assert all(name in result.stderr for name in main.commands)


def test_a_database_that_is_away_ends_with_the_code_for_the_environment(
    config: str,
) -> None:
    """Schema and connectors need it; the password is in no text."""
    for words in (("schema", "show"), ("connectors", "status")):
        result = call("--config", config, *words, "--json")
        assert result.exit_code == ExitCode.ENVIRONMENT, words
        assert json.loads(result.output)["error"]["remedy"] == "retry"
        assert "hunter2" not in result.output


def test_status_names_each_service_that_is_away(config: str) -> None:
    """Both databases, Kafka and Connect: none of them keeps the others from being told."""
    result = call("--config", config, "status", "--json")
    data = json.loads(result.stdout)["data"]
    assert result.exit_code == ExitCode.ENVIRONMENT
    assert [sentence.split(":")[0] for sentence in data["unavailable"]] == [
        *["environment.unreachable"] * 4,
    ]
    (route,) = data["routes"]
    assert (route["state"], route["group"], data["connectors"]) == (
        None,
        None,
        [],
    )
    assert "hunter2" not in result.output


def test_a_person_is_told_of_each_service_that_is_away(config: str) -> None:
    """Without tables that say nothing."""
    result = call("--config", config, "status")
    assert result.stdout.count("environment.unreachable") == 4
    assert "source table" not in result.stdout


def test_check_tells_each_service_that_is_away_and_what_to_do(
    config: str,
) -> None:
    """One line an area, none of them an exception."""
    result = call("--config", config, "check", "--json")
    lines = json.loads(result.output)["data"]["lines"]
    assert result.exit_code == ExitCode.ENVIRONMENT
    assert {line["area"] for line in lines if not line["is_ok"]} == {
        "Ajera",
        "PIM",
        "Kafka",
        "registry",
        "Connect",
    }
    assert all(line["action"] for line in lines)


def test_an_unexpected_fault_shows_its_kind_and_nothing_of_its_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The text may hold row values."""

    def fails() -> Outcome:
        raise ValueError("Jane Doe")

    assert answer("x", True, fails) == ExitCode.RUNTIME
    printed = capsys.readouterr().out
    assert json.loads(printed)["error"]["code"] == "internal.unexpected"
    assert "Jane" not in printed


def test_an_interruption_ends_with_130_wherever_it_comes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In a command, or while it asks something."""

    def interrupted() -> Outcome:
        raise KeyboardInterrupt

    def interrupted_while_asking() -> Outcome:
        abort = click.Abort()
        abort.__context__ = KeyboardInterrupt()  # as click's own prompt leaves it
        raise abort

    for fails in (interrupted, interrupted_while_asking):
        assert answer("x", True, fails) == INTERRUPTED
        assert json.loads(capsys.readouterr().out)["error"]["code"] == "cli.interrupted"


def test_a_no_changes_nothing_and_says_so(config: str) -> None:
    """The question is on standard error."""
    result = CliRunner().invoke(main, ["--config", config, "connectors", "remove"], input="n\n")
    assert result.exit_code == ExitCode.RUNTIME
    assert result.stdout == ""
    assert "nothing was changed" in result.stderr


def test_json_never_asks(config: str) -> None:
    """A question would stand in the answer."""
    result = CliRunner().invoke(
        main,
        ["--config", config, "connectors", "remove", "--json"],
        input="y\n",
    )
    assert result.exit_code == ExitCode.USAGE
    assert "--yes" in json.loads(result.stdout)["error"]["message"]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_square_brackets_in_an_answer_are_shown_as_they_are(
    is_terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names of tables and texts of servers hold them."""
    monkeypatch.setattr("pipeline.cli.output._is_terminal", lambda: is_terminal)

    def tells() -> Outcome:
        table = columns("found")
        table.add_row("[dbo].[Client] [/]")
        return Outcome({}, table)

    assert answer("x", False, tells) == ExitCode.OK
    assert "[dbo].[Client] [/]" in capsys.readouterr().out


def test_an_error_is_printed_with_its_code_and_what_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On standard error, so that an answer is never mixed with it."""

    def fails() -> Outcome:
        raise TargetBusy("PIM does not answer")

    assert answer("x", False, fails) == ExitCode.ENVIRONMENT
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "target.busy: PIM does not answer" in captured.err
    assert TargetBusy.hint.split()[0] in captured.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "Say one of"),
        (("--to-beginning", "--to-offset", "1"), "Say one of"),
        (("--to-time", "yesterday"), "ISO 8601"),
        (("--to-time", "2026-11-25T08:00:00"), "no zone"),
    ],
)
def test_a_replay_without_one_clear_place_is_refused(
    config: str, options: tuple[str, ...], words: str
) -> None:
    """Before anything is asked of Kafka."""
    result = call(
        "--config",
        config,
        "replay",
        "--topic",
        "ajera.AxVec",
        *options,
        "--json",
    )
    assert result.exit_code == ExitCode.USAGE
    assert words in json.loads(result.stdout)["error"]["message"]


def test_mappings_are_shown_with_the_names_of_the_sites_profile(
    tmp_path: Path,
) -> None:
    """The same lines, under what this firm's databases call them."""
    profile = Path(__file__).parents[3] / "deploy" / "sample" / "other-names.toml"
    path = tmp_path / "ajera-cdc.toml"
    path.write_text(f'profile = "{profile}"\n{SETTINGS}')
    tables = json.loads(
        call(
            "--config",
            str(path),
            "mappings",
            "show",
            "--entity",
            "clients",
            "--json",
        ).output
    )["data"]["tables"]
    assert [(table["source"], table["target"]) for table in tables] == [("parties", "Companies")]


def test_the_settings_in_force_are_shown_without_secrets(
    config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the file and the environment together."""
    monkeypatch.setenv("AJERA_CDC_ROUTES__PIM__GROUP", "from-the-environment")
    result = call("--config", config, "config", "show", "--json")
    assert json.loads(result.output)["data"]["routes"]["pim"]["group"] == "from-the-environment"
    assert "hunter2" not in result.output
