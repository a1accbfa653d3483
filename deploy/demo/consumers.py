"""The program as a person runs it: commands,
and consumers as processes that are started and ended by id.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from deploy.local.processes import end_with_parent, free_port

STOP_SECONDS = 30
ROUTES = TO_PIM, EXCHANGE, ACCOUNTING = "pim", "dps", "accounting"
PROGRAM = "pipeline.cli.main"


def ask(url: str) -> httpx.Response:
    """GET over plain HTTP. Asked many times a second: loading this machine's certificates for
    nothing would take longer than the answer.
    """
    return httpx.get(url, timeout=2.0, verify=False)


class CommandFailed(RuntimeError):
    """A command of `ajera-cdc` ended with an error; the message is what it said."""


class ConsumerDied(RuntimeError):
    """A consumer ended by itself; the message holds the last lines of its log."""


class Consumer:
    """One `ajera-cdc run` process with its own metrics address and log file."""

    def __init__(
        self, config: Path, log: Path, route: str = TO_PIM, program: str = PROGRAM
    ) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = log
        environment = os.environ | {
            "AJERA_CDC_RUN__METRICS_PORT": str(self.port),
            "AJERA_CDC_LOG__FORMAT": "json",
        }
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    program,
                    "--config",
                    str(config),
                    "run",
                    "--route",
                    route,
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # Ctrl-C reaches us, and we stop it in order
                # one call, no lock
                preexec_fn=end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )

    def check(self) -> None:
        """Raises ConsumerDied if the process has ended, or has halted a partition."""
        if self.process.poll() is not None:
            raise ConsumerDied(
                f"a consumer ended with exit code {self.process.returncode}:\n{self.tail()}"
            )
        if self.has_halted():
            raise ConsumerDied(f"a consumer has halted a partition:\n{self.tail()}")

    def has_halted(self) -> bool:
        """Does its health say so; one that is still starting does not answer yet."""
        try:
            return ask(f"{self.address}/health").status_code == httpx.codes.SERVICE_UNAVAILABLE
        except httpx.HTTPError:
            return False

    def waits_for(self) -> list[str]:
        """What it waits for or has halted at, in its words; nothing while it does not answer."""
        try:
            reasons: dict[str, str] = ask(f"{self.address}/health").json()["reasons"]
        except httpx.HTTPError:
            return []
        return list(reasons.values())

    def log_lines(self) -> list[str]:
        return self._log.read_text(errors="replace").splitlines()

    def tail(self) -> str:
        return "\n".join(self.log_lines()[-15:])

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(STOP_SECONDS)


@contextmanager
def running(
    config: Path, logs: Path, count: int, route: str = TO_PIM, program: str = PROGRAM
) -> Iterator[list[Consumer]]:
    """`count` consumers of one group; all stopped at the end."""
    with ExitStack() as stack:
        consumers = []
        for number in range(count):
            consumer = Consumer(config, logs / f"{route}-{number + 1}.log", route, program)
            stack.callback(consumer.stop)
            consumers.append(consumer)
        yield consumers


def command(config: Path, *words: str) -> None:
    """Run `ajera-cdc` as a person would. Raises CommandFailed."""
    arguments = [
        sys.executable,
        "-m",
        PROGRAM,
        "--config",
        str(config),
        *words,
    ]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise CommandFailed(
            f"ajera-cdc {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
