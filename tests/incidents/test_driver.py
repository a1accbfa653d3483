"""The incident of a machine without SQL Server's driver: nothing is needed to try it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import tomli_w

from deploy.demo.consumers import PROGRAM
from pipeline.errors import ExitCode

CODE = "environment.driver"
LIBRARY = "libodbc.so.2: cannot open shared object file: No such file or directory"
AWAY = "127.0.0.1:1"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A firm on SQL Server; no service of it answers."""
    raw = {
        "sources": {"ajera": {"database": f"mssql://reader:secret@{AWAY}/ajera"}},
        "routes": {"pim": {"database": f"mssql://writer:secret@{AWAY}/pim"}},
        "kafka": {"bootstrap_servers": AWAY},
        "registry": {"url": f"http://{AWAY}"},
        "connect": {"url": f"http://{AWAY}"},
    }
    config = tmp_path / "ajera-cdc.toml"
    config.write_text(tomli_w.dumps(raw))
    return config


@pytest.fixture
def without_driver(tmp_path: Path) -> Mapping[str, str]:
    """The environment of a machine on which pyodbc does not find the library that it needs."""
    (tmp_path / "pyodbc.py").write_text(f"raise ImportError({LIBRARY!r})\n")
    return os.environ | {"PYTHONPATH": str(tmp_path)}


def typed(config: Path, environment: Mapping[str, str], *words: str) -> tuple[int, str]:
    """The exit code of a command, and all that it said."""
    done = subprocess.run(
        [sys.executable, "-m", PROGRAM, "--config", str(config), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_driver_is_missing(config: Path, without_driver: Mapping[str, str]) -> None:
    """A consumer ends at once, `status` and `check` say the same: the code, the library, and what
    to install. With the driver, only the server is away.
    """
    code, status = typed(config, without_driver, "status", "--json")
    assert code == ExitCode.ENVIRONMENT
    told = [one["what"] for one in json.loads(status)["data"]["problems"] if CODE in one["what"]]
    assert told
    code, checked = typed(config, without_driver, "check", "--only", "PIM")
    assert code == ExitCode.ENVIRONMENT
    code, ran = typed(config, without_driver, "run", "--route", "pim")
    assert code == ExitCode.ENVIRONMENT
    for said in (*told, checked, ran):
        assert CODE in said
        assert "libodbc.so.2" in said
        assert "secret" not in said
    assert "unixODBC" in ran
    _, checked = typed(config, os.environ, "check", "--only", "PIM")
    assert CODE not in checked
    assert "environment.unreachable" in checked
