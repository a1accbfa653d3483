"""How the programs of the embedded stack end on Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

DEADLINE = 60


def ended(code: str, *, times: int = 1) -> subprocess.CompletedProcess[str]:
    """A program that says "ready" and is interrupted so often."""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for _ in range(times):
            while "ready" not in process.stdout.readline():
                assert process.poll() is None
            os.kill(process.pid, signal.SIGINT)
        said, errors = process.communicate(timeout=DEADLINE)
    return subprocess.CompletedProcess(code, process.returncode, said, errors)


@pytest.mark.parametrize("standalone", ["time.sleep(60)", "called(command)"])
def test_an_interrupted_program_says_so_without_a_traceback(standalone: str) -> None:
    """While it imports, and inside a command of click."""
    done = ended(
        "import time, click\n"
        "from deploy.starting import begin, called\n"
        "@click.command()\n"
        "def command(): time.sleep(60)\n"
        f"begin(lambda: (print('ready', flush=True), {standalone}))\n"
    )
    assert (done.returncode, done.stderr.strip()) == (130, "")
    assert "nothing is left running" in done.stdout


def test_a_second_interruption_does_not_break_the_ending_off() -> None:
    """What was started is stopped."""
    done = ended(
        "import time, signal\n"
        "from deploy.starting import begin\n"
        "def program():\n"
        "    try:\n"
        "        print('ready', flush=True); time.sleep(60)\n"
        "    finally:\n"
        "        print('ready', flush=True); time.sleep(0.5); print('stopped', flush=True)\n"
        "begin(program)\n",
        times=2,
    )
    assert (done.returncode, done.stderr.strip()) == (130, "")
    assert "stopped" in done.stdout
