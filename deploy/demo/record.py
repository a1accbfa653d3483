"""The tutorial's pages of what a terminal shows: each command is run in a terminal of a size, and
what it wrote is kept as text.

`make up`, then `python -m deploy.demo.record docs/tutorial`.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from pathlib import Path

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
HEAD = """<!-- Written by `python -m deploy.demo.record docs/tutorial` while `make up` runs. -->
# The first hour, in a terminal of {columns}×{lines}

What the commands of [the first run](first-run.md) show in `make shell`, as it was written: the
first {lines} lines of each. Times, numbers and names differ with each run.
"""


def shown(command: str, columns: int, lines: int, environment: dict[str, str]) -> str:
    """What a terminal of this size shows of a command, without colours."""
    process, terminal = pty.fork()
    if process == 0:
        os.execvpe("/bin/sh", ["/bin/sh", "-c", f"sleep 0.2; exec {command}"], environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    written = b"".join(iter(lambda: _read(terminal), b""))
    os.waitpid(process, 0)
    text = ESCAPES.sub("", written.decode(errors="replace")).replace("\r", "")
    found = [line.rstrip() for line in text.strip("\n").splitlines()]
    further = len(found) - lines
    return "\n".join(found[:lines] + ([f"({further} more lines)"] if further > 0 else []))


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
