"""The tutorial's pages of what a terminal shows: each command in a terminal of a size, and in the
small one `make run` during its working day and after Ctrl-C, as text.

`make up`, then `python -m deploy.demo.record docs/tutorial`.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path

import pyte

from deploy.demo.playground import found

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]")
SIZES = ((80, 24), (200, 50))
COMMANDS = (
    "ajera-cdc status --brief",
    "ajera-cdc status --route pim",
    "ajera-cdc lag --route pim",
    "ajera-cdc replay --route pim --topic ajera.AxVec --to-beginning --dry-run",
    "ajera-cdc explain replay.refused",
    "ajera-cdc audit --limit 5",
)
IN_THE_DAY, SECONDS_OF_DAY, MOST_SECONDS = "A working day", 20.0, 300.0
CTRL_C = b"\x03"
HEAD = """<!-- Written by `python -m deploy.demo.record docs/tutorial` while `make up` runs. -->
# The first hour, in a terminal of {columns}×{lines}

What the commands of [the first run](first-run.md) show in `make shell`, as it was written: the
first {lines} lines of each. Times, numbers and names differ with each run.
"""
DAY = """
## `make run`, in its working day

~~~
{day}
~~~

## After Ctrl-C

~~~
{after}
~~~
"""
WIDE = """
`make run` has room for its whole screen there: [README](../../README.md) shows it.
"""


def lived(columns: int, lines: int, environment: Mapping[str, str]) -> tuple[str, str]:
    """What a terminal of this size shows of `make run` in its working day, and after Ctrl-C.
    Raises TimeoutError.
    """
    process, terminal = _opened([sys.executable, "-m", "deploy.demo"], columns, lines, environment)
    screen = pyte.Screen(columns, lines)
    stream = pyte.ByteStream(screen)
    try:
        day = _day(terminal, screen, stream)
    finally:
        os.write(terminal, CTRL_C)
        while written := _read(terminal):
            stream.feed(written)
        os.waitpid(process, 0)
    return day, _text(screen)


def _day(terminal: int, screen: pyte.Screen, stream: pyte.ByteStream) -> str:
    """The screen some seconds into the working day. Raises TimeoutError."""
    until = deadline = time.monotonic() + MOST_SECONDS
    while (now := time.monotonic()) < until:
        if select.select([terminal], [], [], 1.0)[0]:
            stream.feed(_read(terminal))
        if until == deadline and any(IN_THE_DAY in line for line in screen.display):
            until = now + SECONDS_OF_DAY
    if until == deadline:
        raise TimeoutError(_text(screen))
    return _text(screen)


def _text(screen: pyte.Screen) -> str:
    return "\n".join(line.rstrip() for line in screen.display).strip("\n")


def shown(command: str, columns: int, lines: int, environment: Mapping[str, str]) -> str:
    """What a terminal of this size shows of a command, without colours."""
    process, terminal = _opened(["/bin/sh", "-c", f"exec {command}"], columns, lines, environment)
    written = b"".join(iter(lambda: _read(terminal), b""))
    os.waitpid(process, 0)
    text = ESCAPES.sub("", written.decode(errors="replace")).replace("\r", "")
    found = [line.rstrip() for line in text.strip("\n").splitlines()]
    further = len(found) - lines
    return "\n".join(found[:lines] + ([f"({further} more lines)"] if further > 0 else []))


def _opened(
    words: list[str], columns: int, lines: int, environment: Mapping[str, str]
) -> tuple[int, int]:
    """A process in a terminal of this size: its id, and the terminal."""
    process, terminal = pty.fork()
    if process == 0:
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(sys.stdout.fileno(), termios.TIOCSWINSZ, size)
        os.execvpe(words[0], words, dict(environment))
    return process, terminal


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other end is closed
        return b""


def page(columns: int, lines: int) -> str:
    """The text of a page. Raises NotUp."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    environment = kept | {"AJERA_CDC_CONFIG": found().config, "PATH": path, "TERM": "xterm"}
    parts = [HEAD.format(columns=columns, lines=lines)]
    if (columns, lines) == SIZES[0]:
        day, after = lived(columns, lines, environment)
        parts[0] += DAY.format(day=day, after=after)
    else:
        parts[0] += WIDE
    for command in COMMANDS:
        text = shown(command, columns, lines, environment)
        parts.append(f"## `{command}`\n\n~~~\n{text}\n~~~\n")
    return "\n".join(parts)


def main() -> None:
    folder = Path(sys.argv[1])
    for columns, lines in SIZES:
        name = f"terminal-{columns}x{lines}.md"
        (folder / name).write_text(page(columns, lines), encoding="utf-8")


if __name__ == "__main__":
    main()
