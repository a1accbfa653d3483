"""Child processes of the embedded stack: started, watched and ended by id."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

STOP_SECONDS = 20.0
POLL_SECONDS = 0.1
PORTS = (15_000, 32_000)
_given: set[int] = set()


class PartFailed(RuntimeError):
    """A part of the stack ended, or did not come up in time;
    the message ends with the last lines of its log.
    """


def free_port() -> int:
    """A TCP port on the loopback address that nobody listens on now, another one each time.

    Below the ports that the kernel gives to outgoing connections:
    one of those may be taken by the time it is used.
    """
    while True:
        port = random.randrange(*PORTS)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def end_with_parent() -> None:
    """Ask the kernel to end this process when its parent is gone, even by SIGKILL (Linux only)."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


class Child:
    """One process with its log file (and one that it writes itself), in a session of its own so
    that Ctrl-C reaches only us.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        also: Path | None = None,
        environment: Mapping[str, str] | None = None,
        user: int | None = None,
        directory: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._also = also
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                cwd=directory,
                user=user,
                extra_groups=[] if user is not None else None,
                start_new_session=True,
                # one call, no lock
                preexec_fn=end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait until `ready` says so. Raises PartFailed when the process ends first,
        or the time is over.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if self._process.poll() is not None:
                raise PartFailed(
                    f"{self.name} ended with code {self._process.returncode}:\n{self.tail()}"
                )
            if time.monotonic() > deadline:
                raise PartFailed(
                    f"{self.name} was not ready within {seconds:.0f} s:\n{self.tail()}"
                )
            time.sleep(POLL_SECONDS)

    def tail(self, lines: int = 25) -> str:
        """Of what it printed, and of the file that it writes itself."""
        files = [one for one in (self._also, self.log) if one is not None and one.exists()]
        texts = [one.read_text(errors="replace").splitlines()[-lines:] for one in files]
        return "\n".join(line for text in texts for line in text)

    def kill(self) -> None:
        """SIGKILL, for fault tests."""
        self._process.kill()
        self._process.wait(STOP_SECONDS)

    def stop(self, stop_signal: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end, and end it if it does not."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(stop_signal)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
