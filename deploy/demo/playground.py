"""`make up`, `make shell`, `make down`: the sample firm in the background, for whoever wants to try
the commands.

`up` starts a process that keeps the stack, the people and the consumers, and ends when that is
ready. It writes where everything is into `.stack/up.json`; `shell` and `down` read it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from deploy.demo.consumers import ROUTES, CommandFailed
from deploy.demo.consumers import running as consumers_of
from deploy.demo.firm import prepared
from deploy.demo.people import People
from deploy.local.install import InstallFailed, stack_directory
from deploy.local.processes import PartFailed
from deploy.local.stack import running_stack
from deploy.starting import called

DEFAULT_SEED = 20_26
READY_SECONDS = 600.0
STOP_SECONDS = 90.0
POLL_SECONDS = 0.2
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Running:
    """The process in the background, and where its things are."""

    pid: int
    config: str
    logs: str
    metrics: tuple[str, ...]


class NotUp(RuntimeError):
    """There is no sample firm in the background."""


def state_file() -> Path:
    return stack_directory() / "up.json"


def log_file() -> Path:
    return stack_directory() / "up.log"


def is_up() -> Running | None:
    """What runs in the background."""
    try:
        state = json.loads(state_file().read_text())
        os.kill(state["pid"], 0)
    except (OSError, ValueError):
        return None
    return Running(state["pid"], state["config"], state["logs"], tuple(state["metrics"]))


def found() -> Running:
    """What runs in the background. Raises NotUp."""
    running = is_up()
    if running is None:
        raise NotUp("The sample firm is not running: `make up` starts it.")
    return running


def up(consumers: int, seed: int, profile: Path | None, say: Say) -> None:
    """Start the background process and wait until it is ready. Raises PartFailed."""
    if (running := is_up()) is not None:
        say(f"It is running already (process {running.pid}).")
        return
    state_file().unlink(missing_ok=True)
    log = log_file()
    log.parent.mkdir(parents=True, exist_ok=True)
    words = ["--consumers", str(consumers), "--seed", str(seed)]
    words += [] if profile is None else ["--profile", str(profile)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.demo.play", "serve", *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _follow(process, log, say)
    except BaseException:
        process.terminate()
        process.wait(STOP_SECONDS)
        raise
    say("Everything is up; PIM is being filled, and people begin to edit when it is.")
    say("`make shell` opens a shell in which `ajera-cdc status` works; `make down` ends it all.")


def _follow(process: subprocess.Popen[bytes], log: Path, say: Say) -> None:
    """Show what it says until it is ready. Raises PartFailed if it ends before."""
    deadline, shown = time.monotonic() + READY_SECONDS, 0
    while True:
        is_over, is_ready = process.poll() is not None, state_file().exists()
        lines = log.read_text(errors="replace").splitlines()
        for line in lines[shown:]:
            say(line)
        shown = len(lines)
        if is_over:
            raise PartFailed(f"It ended with exit code {process.returncode}; the log is {log}.")
        if is_ready:
            return
        if time.monotonic() > deadline:
            raise PartFailed(f"It was not ready within {READY_SECONDS:.0f} s; the log is {log}.")
        time.sleep(POLL_SECONDS)


def shell(say: Say) -> int:
    """A shell with the settings of the running firm; its exit code where no person sits at it.
    Raises NotUp.
    """
    firm = found()
    say(f"Settings {firm.config}\nLogs     {firm.logs}")
    say("Metrics  " + "  ".join(f"{address}/metrics" for address in firm.metrics))
    say("Try: ajera-cdc status | lag | check | connectors status | conflicts list | --help")
    say("`exit` leaves this shell; the firm lives until `make down`.")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    settings = {"AJERA_CDC_CONFIG": firm.config, "PATH": path, "AJERA_CDC_SHELL": "1"}
    code = subprocess.run(
        [os.environ.get("SHELL", "/bin/sh")], env=os.environ | settings, check=False
    ).returncode
    return 0 if sys.stdin.isatty() else code


def down(say: Say) -> None:
    """End the background process and wait until it is gone. Raises NotUp."""
    firm = found()
    say("Stopping consumers, connectors and the stack ...")
    os.kill(firm.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while state_file().exists() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    if state_file().exists():
        raise PartFailed(f"Process {firm.pid} did not end; its log is {log_file()}.")
    say("Stopped; nothing is left running.")


def serve(consumers: int, seed: int, profile: Path | None, say: Say) -> None:
    """What runs in the background: until SIGTERM, or until the people cannot work any more."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        with (
            running_stack(say) as stack,
            prepared(stack, seed, profile, say) as run,
            ExitStack() as resources,
        ):
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: run.ended.set())
            members = [
                member
                for route in ROUTES
                for member in resources.enter_context(
                    consumers_of(run.config, stack.logs, consumers, route)
                )
            ]
            metrics = tuple(member.address for member in members)
            _announce(Running(os.getpid(), str(run.config), str(stack.logs), metrics))
            People(run, seed, None).work()
        if run.fault is not None:
            raise run.fault
    finally:
        state_file().unlink(missing_ok=True)  # the last thing: `down` waits for it


def _leave(*_: object) -> None:
    """Before there is a firm, SIGTERM ends what was begun in order."""
    sys.exit(128 + signal.SIGTERM)


def _announce(running: Running) -> None:
    """Written whole or not at all: who sees the file can read it."""
    draft = state_file().with_suffix(".draft")
    draft.write_text(json.dumps(asdict(running)))
    draft.replace(state_file())


@click.group()
def main() -> None:
    """The sample firm in the background."""


FIRM = (
    click.option("--consumers", default=1, show_default=True, help="Consumers of each route."),
    click.option("--seed", default=DEFAULT_SEED, show_default=True, help="Seed of the firm."),
    click.option("--profile", type=click.Path(path_type=Path, exists=True), help="Site profile."),
)


def of_firm(function: Callable[..., None]) -> Callable[..., None]:
    """The options of a firm."""
    for option in FIRM:
        function = option(function)
    return function


@main.command("up")
@of_firm
def up_command(*, consumers: int, seed: int, profile: Path | None) -> None:
    """Start it, and end when it is ready."""
    up(consumers, seed, profile, click.echo)


@main.command("shell")
def shell_command() -> None:
    """A shell in which `ajera-cdc` finds it."""
    sys.exit(shell(click.echo))


@main.command("down")
def down_command() -> None:
    """End it."""
    down(click.echo)


@main.command("serve", hidden=True)
@of_firm
def serve_command(*, consumers: int, seed: int, profile: Path | None) -> None:
    """The process that `up` starts."""
    serve(consumers, seed, profile, lambda line: print(line, flush=True))


def run_command() -> None:
    """The program. Raises SystemExit, KeyboardInterrupt."""
    try:
        called(main)
    except (InstallFailed, PartFailed, CommandFailed, NotUp) as fault:
        click.echo(str(fault), err=True)
        sys.exit(3)
