"""Where the programs of the embedded stack begin: Ctrl-C ends them in words, also while the rest is
being imported; a second one does not break the ending off.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import NoReturn

INTERRUPTED = 130


def begin(program: Callable[[], None]) -> NoReturn:
    """Run a program that imports what it needs. Raises SystemExit."""
    signal.signal(signal.SIGINT, _interrupted)
    try:
        program()
    except KeyboardInterrupt:
        print("Stopped; nothing is left running.", flush=True)
        sys.exit(INTERRUPTED)
    sys.exit(0)


def _interrupted(*_: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("\nStopping what was started ...", flush=True)
    raise KeyboardInterrupt


def called(command: Callable[..., object]) -> None:
    """A command of click, whose own word on Ctrl-C is "Aborted!". Raises KeyboardInterrupt."""
    import click

    try:
        command(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        raise KeyboardInterrupt from None
