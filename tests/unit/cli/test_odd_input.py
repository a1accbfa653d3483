"""What nobody can mean is answered in the words of what was asked: for every option and argument of
every command, and for the settings; nothing is connected to, and nothing is a fault of the program.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipeline.cli.audited import RowValue
from pipeline.cli.choices import RouteChoice
from pipeline.cli.main import main
from pipeline.cli.values import Moment, Name, Seconds, Whole
from pipeline.errors import ExitCode

LARGE = str(2**70)
ODD_TIMES = (
    "1969-12-31T23:59:59Z",
    "2999-01-01T00:00:00Z",
    "2026-11-25T08:00:00",  # no zone
    "yesterday",
    "0",
)


def leaves(
    command: click.Command = main, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command, with the words that lead to it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name, inner in command.commands.items():
        yield from leaves(inner, (*path, name))


def valued(command: click.Command) -> Iterator[click.Parameter]:
    """What takes a value that people type."""
    for one in command.params:
        if not (isinstance(one, click.Option) and (one.is_flag or one.count)):
            yield one


def odd_values(kind: object) -> tuple[str, ...]:
    match kind:
        case Whole():
            return ("", "many", "1.5", LARGE, str(kind.least - 1), "-99")
        case Seconds():
            return ("", "soon", "-1", "nan", "inf")
        case Name():
            return ("", "  ", "two\nlines", "\x1b[31mred")
        case Moment():
            return ("", *ODD_TIMES)
        case RouteChoice() | click.Choice():
            return ("", "nonsense")
        case click.Path():
            return ()  # what a path leads to is the command's own matter
        case _:
            raise AssertionError(f"{kind} takes anything: use a type of pipeline.cli.values")


LEAVES = list(leaves())
SAMPLES: dict[str | None, str] = {"source": "ajera", "route": "pim"}
ODD = [
    pytest.param(path, command, one, value, id=f"{'-'.join(path)}-{one.name}-{value!r}")
    for path, command in LEAVES
    for one in valued(command)
    if not isinstance(one, RowValue)  # any value of a row may be meant
    for value in odd_values(one.type)
]


def words_with(command: click.Command, parameter: click.Parameter, value: str) -> list[str]:
    """An option, or an argument after others that can be meant."""
    if isinstance(parameter, click.Option):
        return [f"{parameter.opts[0]}={value}"]
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    return ["--", *(value if one is parameter else SAMPLES.get(one.name, "1") for one in arguments)]


@pytest.mark.parametrize(("path", "command", "parameter", "value"), ODD)
def test_an_odd_value_is_refused_and_the_option_is_named(
    path: tuple[str, ...], command: click.Command, parameter: click.Parameter, value: str
) -> None:
    """With exit code 2, before anything is read or connected to."""
    done = CliRunner().invoke(main, [*path, "--json", *words_with(command, parameter, value)])
    assert done.exit_code == ExitCode.USAGE, done.output
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "cli.usage"
    is_choice = isinstance(parameter.type, RouteChoice) and isinstance(parameter, click.Argument)
    asked = (
        {"'pim'", "'ajera'"} if is_choice else {parameter.opts[0], parameter.human_readable_name}
    )
    assert any(one.lower() in error["message"].lower() for one in asked), error
    assert "--help" in error["hint"]


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=["-".join(path) for path, _ in LEAVES])
def test_every_command_answers_a_program_too(path: tuple[str, ...], command: click.Command) -> None:
    """--json is an option of each."""
    assert "as_json" in {one.name for one in command.params}, path


@pytest.mark.parametrize("words", [("nonsense",), ("status", "--nonsense"), ("conflicts",), ()])
def test_a_command_that_is_none_is_usage(words: tuple[str, ...]) -> None:
    """Never a traceback."""
    done = CliRunner().invoke(main, words)
    assert done.exit_code == ExitCode.USAGE
    assert "Traceback" not in done.output


def test_a_time_that_has_been_is_taken() -> None:
    """Whatever its zone."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert Moment(lambda: at).convert("2025-12-31T23:00:00+01:00", None, None) < at


SETTINGS = """
[sources.ajera]
database = "postgresql+psycopg://ajera@127.0.0.1:1/ajera"
[routes.pim]
database = "postgresql+psycopg://pim@127.0.0.1:1/pim"
"""


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("kafka", "bootstrap_servers", "http://kafka:9092"),
        ("kafka", "bootstrap_servers", ""),
        ("kafka", "bootstrap_servers", "kafka:port"),
        ("kafka", "bootstrap_servers", "kafka:99999"),
        ("kafka", "bootstrap_servers", "user:secret@kafka:9092"),
        ("registry", "url", "nonsense"),
        ("registry", "url", ""),
        ("registry", "url", "ftp://registry"),
        ("connect", "url", "http://"),
        ("connect", "url", "http://connect:port"),
        ("connect", "url", "http://[::1"),
        ("routes.pim", "database", "postgresql+psycopg://pim:secret@db:5432"),
        ("routes.pim", "database", "nonsense"),
        ("routes.pim", "database", "mysql://db/pim"),
        ("routes.pim", "database", "mssql+pyodbc:///PIM"),
        ("routes.pim", "database", "postgresql+psycopg://pim:secret@db:port/pim"),
        ("routes.pim", "group", ""),
        ("routes.pim", "dead_letter_topic", " "),
        ("sources.ajera", "topic_prefix", ""),
        ("sources.ajera", "connector_name", ""),
        ("run", "batch_size", "-1"),
        ("run", "metrics_port", "99999"),
        ("log", "level", "LOUD"),
    ],
)
def test_an_odd_setting_is_named_and_its_value_not_shown(
    table: str, key: str, value: str, tmp_path: Path
) -> None:
    """An address may hold a password; the line to correct is named."""
    name = f"AJERA_CDC_{table.replace('.', '__').upper()}__{key.upper()}"
    file = tmp_path / "ajera-cdc.toml"
    file.write_text(SETTINGS)
    done = CliRunner().invoke(main, ["--config", str(file), "config", "show"], env={name: value})
    assert done.exit_code == ExitCode.USAGE, done.output
    assert "config.invalid" in done.stderr
    assert table in done.stderr
    assert key in done.stderr
    assert "secret" not in done.output


def test_the_settings_of_that_table_are_good_as_they_are(tmp_path: Path) -> None:
    """So each of the odd values above is what is refused."""
    file = tmp_path / "ajera-cdc.toml"
    file.write_text(SETTINGS)
    done = CliRunner().invoke(main, ["--config", str(file), "config", "show"])
    assert done.exit_code == 0, done.output


def unreadable(folder: Path) -> Path:
    return folder / "nowhere" / "ajera-cdc.toml"


def binary(folder: Path) -> Path:
    (file := folder / "binary.toml").write_bytes(b"\xff\xfe\x00")
    return file


def no_toml(folder: Path) -> Path:
    (file := folder / "no.toml").write_text("[kafka\nx = ")
    return file


def unknown_profile(folder: Path) -> Path:
    (file := folder / "profile.toml").write_text('profile = "nowhere.toml"\n' + SETTINGS)
    return file


def a_folder(folder: Path) -> Path:
    return folder


@pytest.mark.parametrize("make", [unreadable, binary, no_toml, unknown_profile, a_folder])
def test_a_file_that_cannot_be_read_is_named(make: object, tmp_path: Path) -> None:
    """The settings, and the profile that they name."""
    assert callable(make)
    file = make(tmp_path)
    done = CliRunner().invoke(main, ["--config", str(file), "mappings", "show"])
    assert done.exit_code == ExitCode.USAGE, done.output
    named = "nowhere.toml" if make is unknown_profile else file.name
    assert named in done.stderr.replace("\n", "")


def test_a_route_that_is_not_configured_is_named_with_those_that_are(tmp_path: Path) -> None:
    """The person sees what to type instead."""
    file = tmp_path / "ajera-cdc.toml"
    file.write_text(SETTINGS)
    words = ["--config", str(file), "replay", "--route", "dps", "--topic", "ajera.AxVec"]
    done = CliRunner().invoke(main, [*words, "--to-beginning", "--json"])
    assert done.exit_code == ExitCode.USAGE
    message = json.loads(done.stdout)["error"]["message"]
    assert "routes.dps" in message
    assert "Configured are pim." in message


def test_a_topic_that_no_route_reads_is_answered_with_those_that_are_read(tmp_path: Path) -> None:
    """Before Kafka is asked."""
    file = tmp_path / "ajera-cdc.toml"
    file.write_text(SETTINGS)
    words = ["--config", str(file), "replay", "--topic", "ajera.Nothing", "--to-beginning"]
    done = CliRunner().invoke(main, [*words, "--json"])
    assert done.exit_code == ExitCode.USAGE
    message = json.loads(done.stdout)["error"]["message"]
    assert "ajera.Nothing is not a topic of this route" in message
    assert "ajera.AxVec" in message
