"""Tests run in copies of the tree, with and without a guard."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from deploy.local.install import stack_directory
from tests.failures.guard import Guard

COPIED = (
    "pipeline",
    "deploy",
    "tests",
    "schemas",
    "connectors",
    "pyproject.toml",
    "requirements.lock",
)
SECONDS = 240
# How a program fails that is not unguarded but broken.
BROKEN = ("NameError", "ImportError", "AttributeError", "SyntaxError", "IndentationError")


class Needs(StrEnum):
    """What a test needs beside Python. `jobs`: how many of them a machine bears at a time."""

    NOTHING = "nothing"
    POSTGRES = "postgres"
    STACK = "stack"

    @property
    def jobs(self) -> int:
        return {Needs.NOTHING: 8, Needs.POSTGRES: 2, Needs.STACK: 1}[self]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`is_held`: the test fails for want of the guard; `reason`: how,
    or why that cannot be said.
    """

    guard: Guard
    is_held: bool
    reason: str


class Copy:
    """A copy of the tree, in which tests run."""

    def __init__(self, root: Path, directory: Path) -> None:
        self._directory = directory
        ignore = shutil.ignore_patterns("__pycache__")
        for name in COPIED:
            source = root / name
            if source.is_dir():
                shutil.copytree(source, directory / name, ignore=ignore)
            elif source.exists():
                shutil.copy(source, directory / name)

    def needs(self, tests: Collection[str]) -> dict[str, Needs]:
        """By test what it needs, as its marks say."""
        found = dict.fromkeys(tests, Needs.NOTHING)
        for needs in (Needs.POSTGRES, Needs.STACK):
            done = self._pytest("--collect-only", "-q", "-m", needs, *tests)
            marked = done.stdout.splitlines()
            found |= {test: needs for test in tests if _first_of(test, marked)}
        return found

    def red(self, tests: Collection[str]) -> dict[str, str]:
        """Those of the tests that fail with every guard in its place, and how."""
        seconds = SECONDS * len(tests)
        try:
            done = self._pytest("-q", "-rfE", "--tb=no", *tests, seconds=seconds)
        except subprocess.TimeoutExpired:
            return dict.fromkeys(tests, f"not all over within {seconds} s")
        if done.returncode not in (0, 1):
            return dict.fromkeys(tests, _last_line(done))
        shown = [line.partition(" ") for line in done.stdout.splitlines()]
        lines = [rest for word, _, rest in shown if word in ("FAILED", "ERROR")]
        found = {test: _first_of(test, lines) for test in tests}
        return {test: line for test, line in found.items() if line}

    def without(self, guard: Guard) -> Verdict:
        """Take the guard out, run its test, and put it back."""
        file = self._directory / guard.file
        before = file.read_text()
        file.write_text(before.replace(guard.text, guard.instead))
        try:
            return _verdict(guard, self._pytest("-x", "-q", guard.test))
        except subprocess.TimeoutExpired:
            return Verdict(guard, True, f"not over within {SECONDS} s")
        finally:
            file.write_text(before)

    def _pytest(self, *arguments: str, seconds: int = SECONDS) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        environment = {
            "PYTHONPATH": str(self._directory),
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "500",  # the reason stands behind the test's name
            "AJERA_CDC_STACK_DIR": str(stack_directory().resolve()),
        }
        return subprocess.run(
            command,
            cwd=self._directory,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=seconds,
        )


def _first_of(test: str, lines: Iterable[str]) -> str:
    """The first line that begins with the test, or with one of its cases; "" for none."""
    own = re.compile(re.escape(test) + r"($|\[| |::)")
    return next((line for line in lines if own.match(line)), "")


def _verdict(guard: Guard, done: subprocess.CompletedProcess[str]) -> Verdict:
    if done.returncode == 0:
        return Verdict(guard, False, "green without it")
    if done.returncode != 1:
        return Verdict(guard, False, f"cannot be run without it: {_last_line(done)}")
    said = [line[1:].strip() for line in done.stdout.splitlines() if line.startswith("E ")]
    reason = (said or ["failed"])[0][:160]
    if reason.startswith(BROKEN):
        return Verdict(guard, False, f"broken without it, not unguarded: {reason}")
    return Verdict(guard, True, reason)


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    return ((done.stdout + done.stderr).strip().splitlines() or ["no answer"])[-1][:160]
