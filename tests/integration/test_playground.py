"""`make up`, `make shell` and `make down`, as somebody who tries the commands types them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.install import stack_directory

pytestmark = pytest.mark.stack
SECONDS = 240


def playground(home: Path, word: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """One of the three commands; `typed` goes to its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "deploy.demo.play", word],
        input=typed,
        env=os.environ | {"AJERA_CDC_STACK_DIR": str(home), "SHELL": "/bin/sh"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder of its own for what runs, with the libraries that are installed.
    PostgreSQL, which runs as another user, must be able to reach it.
    """
    folder = stack_directory().resolve() / "run" / f"playground-{uuid.uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    (folder / "lib").symlink_to((stack_directory() / "lib").resolve())
    shutil.copy(stack_directory() / "installed", folder / "installed")
    yield folder
    shutil.rmtree(folder)


def test_the_commands_work_in_the_shell_until_the_firm_is_stopped(home: Path) -> None:
    """Everything that was started is gone afterwards, and its folder too."""
    started = playground(home, "up")
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        assert "make shell" in started.stdout
        assert "running already" in playground(home, "up").stdout
        shown = playground(home, "shell", "ajera-cdc status --json\nexit 7\n")
        assert '"command": "status"' in shown.stdout, shown.stdout + shown.stderr
        assert shown.returncode == 7
    finally:
        stopped = playground(home, "down")
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    assert list((home / "run").iterdir()) == []
    assert not (home / "up.json").exists()


def test_a_shell_without_a_firm_says_how_to_start_one(tmp_path: Path) -> None:
    """So does `down`."""
    for word in ("shell", "down"):
        refused = playground(tmp_path, word)
        assert refused.returncode == 3
        assert "`make up` starts it" in refused.stderr
