"""Where `ajera-cdc` begins. Ctrl-C ends it in words, also while the rest is being imported."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> None:
    """Never returns: raises SystemExit."""
    try:
        from pipeline.cli.main import main as program

        program()
    except KeyboardInterrupt:
        sys.stderr.write("cli.interrupted: Interrupted.\n")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
