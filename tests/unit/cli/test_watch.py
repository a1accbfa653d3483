"""Drawing again until Ctrl-C, which is no error."""

from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner

from pipeline.cli.command import plain_command
from pipeline.cli.drawing import Text
from pipeline.cli.output import Outcome
from pipeline.cli.watch import watch
from pipeline.errors import ExitCode


def drawn(*words: str, most: int = 3) -> tuple[int, int, str]:
    """How often it was drawn until somebody pressed Ctrl-C, the exit code, and what was printed."""
    times: list[int] = []

    def draw() -> Text:
        times.append(1)
        return Text(f"look {len(times)}")

    def sleep(seconds: float) -> None:
        del seconds
        if len(times) >= most:
            raise KeyboardInterrupt

    def look() -> Outcome:
        watch(draw, sleep)
        return Outcome({}, "")

    command: click.Command = plain_command("look")(look)
    done = CliRunner().invoke(command, list(words))
    return len(times), done.exit_code, done.output


def test_it_is_drawn_again_and_ctrl_c_ends_it_quietly() -> None:
    """The last look stays on the screen; no traceback, no error."""
    times, code, output = drawn()
    assert (times, code) == (3, ExitCode.OK)
    assert "look 3" in output
    assert "Interrupted" not in output


@pytest.mark.parametrize("most", [1, 2])
def test_ctrl_c_may_come_at_any_look(most: int) -> None:
    """Also at the first."""
    assert drawn(most=most)[:2] == (most, ExitCode.OK)


def test_a_program_is_told_to_ask_again_instead() -> None:
    """--json answers once."""
    times, code, output = drawn("--json")
    assert (times, code) == (0, ExitCode.USAGE)
    assert json.loads(output)["error"]["code"] == "cli.usage"
