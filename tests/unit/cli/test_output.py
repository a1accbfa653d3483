"""Nothing that a command shows is cut off: not on a narrow terminal, and not in a pipe."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

import pipeline.cli
from pipeline.cli import output
from pipeline.cli.drawing import Group, Text
from pipeline.cli.main import main
from pipeline.cli.output import Outcome, columns, show

LONG = "ajera." + "A_very_long_table_name_of_a_firm_" * 6
BOXES = re.compile(r"[─-╿]")
MODULES = sorted(Path(pipeline.cli.__file__).parent.glob("*.py"))


def test_a_pipe_gets_plain_columns_with_identifiers_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line a row, without boxes: for grep and awk."""
    table = columns("topic", "what", title=f"{LONG} and its partitions")
    table.add_row(LONG, "is read")
    table.add_row("ajera.AxVec", LONG)
    show(Outcome({}, table))
    out = capsys.readouterr().out
    assert out.count(LONG) == 3
    assert not BOXES.search(out)
    assert len(out.splitlines()) == 4


def test_a_cell_of_several_lines_is_in_its_column(capsys: pytest.CaptureFixture[str]) -> None:
    """Each column begins at one place in every line, and no line ends in blanks."""
    table = columns("parked", "reason", "keys")
    table.add_row("AxContact", "row.missing\nAxVec 7", "1\n2\n3")
    table.add_row("AxVec", None, "4")
    show(Outcome({}, Group(Text("two"), table)))
    assert capsys.readouterr().out.splitlines() == [
        "two",
        "parked     reason       keys",
        "AxContact  row.missing  1",
        "           AxVec 7      2",
        "                        3",
        "AxVec                   4",
    ]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_terminal_wraps_rather_than_cuts(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every letter is there, whatever the width."""
    monkeypatch.setattr(output, "_is_terminal", lambda: True)
    table = columns("topic", "partition")
    table.add_row(LONG, "0")
    stream = io.StringIO()
    Console(file=stream, width=width).print(table)
    letters = re.sub(r"[^\w.]", "", stream.getvalue())
    assert re.sub(r"[^\w.]", "", LONG) in letters.replace("0", "", 1)
    assert "…" not in stream.getvalue()


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_every_command_draws_its_tables_with_columns(module: Path) -> None:
    """A table of rich itself cuts what does not fit."""
    if module.name not in ("drawing.py", "reference.py"):
        assert not re.search(r"\bTable\(", module.read_text()), module


SETTINGS = f"""
profile = "profile.toml"
[sources.ajera]
database = "postgresql+psycopg://ajera@127.0.0.1:1/{LONG}"
[routes.pim]
database = "postgresql+psycopg://pim@127.0.0.1:1/{LONG}"
group = "{LONG}"
dead_letter_topic = "{LONG}"
"""


@pytest.mark.parametrize(
    "words",
    [
        ("config", "show"),
        ("mappings", "show"),
        ("check", "--only", "PIM"),
        ("schema", "show"),
        ("connectors", "status"),
        ("status",),
        ("lag",),
        ("audit",),
        ("replay", "--topic", LONG, "--to-beginning"),
    ],
    ids=" ".join,
)
def test_a_long_identifier_is_whole_in_what_is_piped(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    """In answers, and in the errors of services that do not answer."""
    (tmp_path / "profile.toml").write_text(f'[source.AxVec]\nname = "{LONG}"\n')
    (file := tmp_path / "ajera-cdc.toml").write_text(SETTINGS)
    environment = {
        "AJERA_CDC_KAFKA__BOOTSTRAP_SERVERS": f"{'kafka' * 20}.invalid:9092",
        "AJERA_CDC_CONNECT__URL": f"http://127.0.0.1:1/{LONG}",
    }
    done = CliRunner().invoke(main, ["--config", str(file), *words], env=environment)
    known = (LONG, "kafka" * 20)
    assert any(one in done.output for one in known), done.output
    assert not BOXES.search(done.output)
