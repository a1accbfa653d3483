"""`ajera-cdc … --json` as tests run it: in this process.
Importing the program once more takes a second for each command.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from pipeline.cli.main import main


def answer(config: Path, *words: str, expect: int = 0) -> dict[str, Any]:
    """What the command prints, when it ends with this exit code.
    One test in tests/unit/cli starts the program itself.
    """
    done = CliRunner().invoke(main, ["--config", str(config), *words, "--json"])
    assert done.exit_code == expect, f"{words}: {done.exit_code}\n{done.stdout}\n{done.stderr}"
    found: dict[str, Any] = json.loads(done.stdout)
    return found
