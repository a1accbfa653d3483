"""`ajera-cdc … --json` as tests run it: in this process.
Importing the program once more takes a second for each command.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner

from pipeline.cli.main import main


@dataclass(frozen=True, slots=True)
class Typed:
    """A program: its command line, and the module that a process of it is started by."""

    main: click.Command
    module: str


AJERA_CDC = Typed(main, "pipeline.cli.main")


def answer(
    config: Path, *words: str, expect: int | None = 0, program: Typed = AJERA_CDC
) -> dict[str, Any]:
    """What the command prints, when it ends with this exit code (None: with any).
    One test in tests/unit/cli starts the program itself.
    """
    done = CliRunner().invoke(program.main, ["--config", str(config), *words, "--json"])
    assert expect in (None, done.exit_code), (
        f"{words}: {done.exit_code}\n{done.stdout}\n{done.stderr}"
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
