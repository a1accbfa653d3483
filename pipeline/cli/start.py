"""Where `ajera-cdc` begins. Ctrl-C ends it in words, also while the rest is being imported."""

from __future__ import annotations

import gc
import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn

INTERRUPTED = 130
# What is imported stays: by default the collector would walk it every 700 allocations, and again at
# the end. Both together take a fifth of the CPU of a command.
COLLECTED_AFTER = 200_000


def main() -> None:
    """Never returns: raises SystemExit, or ends the process."""
    gc.set_threshold(COLLECTED_AFTER)
    # we have no plugin of pydantic's, which it would look for in every package installed
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        from pipeline.cli.main import main as program

        program()
    except KeyboardInterrupt:
        sys.stderr.write("cli.interrupted: Interrupted.\n")
        _leave(INTERRUPTED)
    except SystemExit as ending:
        _leave(ending.code)
    finally:
        gc.freeze()


def _leave(code: str | int | None) -> NoReturn:
    """At once where a thread still waits for a service: it is inside a C library, whose own end
    would crash the process under it.
    """
    if not isinstance(code, str) and any(each.daemon for each in threading.enumerate()):
        with suppress(OSError):  # the command has said that its answer cannot be written
            sys.stdout.flush()
        os._exit(code or 0)
    sys.exit(code)


if __name__ == "__main__":
    main()
