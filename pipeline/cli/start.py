"""Where `ajera-cdc` begins. Ctrl-C ends it in words, also while the rest is being imported."""

from __future__ import annotations

import gc
import os
import sys

INTERRUPTED = 130
# What is imported stays: by default the collector would walk it every 700 allocations, and again at
# the end. Both together take a fifth of the CPU of a command.
COLLECTED_AFTER = 200_000


def main() -> None:
    """Never returns: raises SystemExit."""
    gc.set_threshold(COLLECTED_AFTER)
    # we have no plugin of pydantic's, which it would look for in every package installed
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        from pipeline.cli.main import main as program

        program()
    except KeyboardInterrupt:
        sys.stderr.write("cli.interrupted: Interrupted.\n")
        sys.exit(INTERRUPTED)
    finally:
        gc.freeze()


if __name__ == "__main__":
    main()
