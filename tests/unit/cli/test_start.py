"""How a command starts: with what it needs alone, soon, and interruptible from the first import."""

from __future__ import annotations

import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import pytest

from pipeline.cli.main import COMMANDS

HEAVY = (
    "sqlalchemy",
    "sqlalchemy.dialects.mssql",
    "psycopg",
    "confluent_kafka",
    "fastavro",
    "alembic",
    "authlib",
    "httpx",
    "pydantic",
    "rich",
    "pygments",
)
SETTINGS = """
[sources.ajera]
database = "postgresql+psycopg://ajera:secret@127.0.0.1:{port}/ajera"
topic_prefix = "ajera"
[routes.pim]
database = "postgresql+psycopg://pim:secret@127.0.0.1:{port}/pim"
[kafka]
bootstrap_servers = "127.0.0.1:{port}"
[registry]
url = "http://127.0.0.1:{port}"
[connect]
url = "http://127.0.0.1:{port}"
[run]
metrics_port = 0
"""
CLOSED = 1  # a port where nobody listens
DEADLINE = 60
FULL = Path("/dev/full")


@pytest.fixture
def away(tmp_path: Path) -> Path:
    """Settings of which every service is away."""
    return written(tmp_path, CLOSED)


def written(folder: Path, port: int) -> Path:
    path = folder / "away.toml"
    path.write_text(SETTINGS.format(port=port))
    return path


def imported(*words: str) -> set[str]:
    """Those of HEAVY that the program imports until it ends."""
    code = (
        "import sys\n"
        "from pipeline.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    return set(HEAVY) & set(done.stderr.split())


def cpu_seconds(*words: str) -> float:
    """Of a process of Python, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], capture_output=True, timeout=DEADLINE, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_imports_no_command() -> None:
    """Nor what commands need: no database, no Kafka, no settings."""
    assert imported("--help") == set()


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {"reference"}))
def test_help_of_a_command_imports_nothing_that_asks(name: str) -> None:
    """It names the routes, which pydantic describes; what asks is imported by what asks."""
    assert imported(name, "--help") - {"pygments"} <= {"pydantic", "rich"}


def test_a_command_imports_what_it_asks_alone(away: Path) -> None:
    """The settings are read by pydantic; a pipe gets plain lines, without rich. `lag` asks Kafka,
    and the registry for what waits only; `status` asks Kafka, Connect and the databases, by what is
    needed for this kind of them.
    """
    settings = ("--config", str(away))
    assert imported(*settings, "config", "show") == {"pydantic"}
    assert imported(*settings, "lag") == {"pydantic", "confluent_kafka"}
    asked = {"sqlalchemy", "psycopg", "confluent_kafka", "httpx"}
    assert imported(*settings, "status") - {"pygments"} == {"pydantic", "rich", *asked}


def test_a_command_that_asks_the_database_does_not_import_migrations(away: Path) -> None:
    """Alembic takes as long to import as the rest; only an upgrade uses it."""
    assert "alembic" not in imported("--config", str(away), "status")


@pytest.mark.parametrize(
    ("words", "times"), [("--help", 0.4), ("config show", 1.3), ("lag", 1.7), ("status", 3.2)]
)
def test_a_command_starts_soon(words: str, times: float, away: Path) -> None:
    """In CPU, measured by that of importing SQLAlchemy right after it, which a machine's pace
    changes too, and which takes 0.25 s here; the least of five such pairs.
    docs/decisions/0022-what-a-start-costs.md says what takes how long; where no bytecode is kept,
    each start compiles us besides.
    """
    command = ("-m", "pipeline.cli.start", "--config", str(away), *words.split())
    pairs = [(cpu_seconds(*command), cpu_seconds("-c", "import sqlalchemy")) for _ in range(5)]
    assert min(took / yardstick for took, yardstick in pairs) < times


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_list_of_commands_says_what_each_says_of_itself(name: str) -> None:
    """The list is read without importing them."""
    command = COMMANDS[name].load()
    assert command.name == name
    listed = click.Command(name, help=COMMANDS[name].sentence)
    assert listed.get_short_help_str(1000) == command.get_short_help_str(1000)


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("words", ["explain", "explain --json"])
def test_an_answer_that_cannot_be_written_prints_no_traceback(words: str) -> None:
    """As on a disk that is full."""
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli.start", *words.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
    assert "Traceback" not in done.stderr
    assert "explain was carried out, and its answer cannot be written: No space" in done.stderr
    assert done.returncode == 1


@contextmanager
def started(*words: str, options: Sequence[str] = ()) -> Iterator[subprocess.Popen[str]]:
    """The program; `options` are Python's."""
    with subprocess.Popen(
        [sys.executable, *options, "-m", "pipeline.cli.start", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    "module", ["click.core", "pydantic.types", "sqlalchemy.sql.base", "pipeline.config.settings"]
)
def test_an_interruption_while_the_program_starts_prints_no_traceback(
    module: str, away: Path
) -> None:
    """The signal comes as soon as Python says on standard error that this module is imported.

    Python ends by the signal itself where it came while a string was compiled, as dataclasses do;
    a shell shows 130 for both.
    """
    told_of = ("-X", "importtime")
    with started("--config", str(away), "status", options=told_of) as process:
        assert process.stderr is not None
        seen = next(line for line in process.stderr if line.split("|")[-1].strip() == module)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=DEADLINE)
    assert seen
    assert "Traceback" not in told
    assert "Interrupted." in told
    assert process.returncode in (130, -signal.SIGINT)


@pytest.mark.parametrize("command", ["status", "lag", "run --route pim"])
def test_an_interruption_of_a_command_that_waits_prints_no_traceback(
    command: str, tmp_path: Path
) -> None:
    """Somebody answers the call and says nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(DEADLINE)
        settings = written(tmp_path, server.getsockname()[1])
        with started("--config", str(settings), *command.split()) as process:
            connection, _ = server.accept()
            process.send_signal(signal.SIGINT)
            with connection:
                _, told = process.communicate(timeout=DEADLINE)
    assert "Traceback" not in told
    assert process.returncode in (0, 130)  # `run` drains, and ends well


def test_a_command_that_ends_while_a_thread_still_waits_does_not_tear_python_down() -> None:
    """What would run at an orderly end does not run; what was written is seen."""
    code = (
        "import atexit, sys, threading\n"
        "from pipeline.cli.start import main\n"
        "atexit.register(print, 'torn down')\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "sys.argv = ['ajera-cdc', '--version']\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE, check=True
    )
    assert done.stdout.startswith("ajera-cdc")
    assert "torn down" not in done.stdout
