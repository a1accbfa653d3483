"""The figures of `make sizes` count what they say."""

from __future__ import annotations

import subprocess
import sys

from tests.architecture.sizes import FOLDERS, ROOT, Module, measured

TEXT = '''"""Words do not count.

Nor do these.
"""

# nor this
LONG = "{}"


def one(a: int) -> int:
    """Nor this."""
    return a  # nor this
'''


def test_tokens_and_lines_leave_out_comments_and_docstrings() -> None:
    """Three tokens of the constant, ten of the head, and two of the return, on three lines."""
    assert measured(TEXT.format("x" * 93)) == Module(
        tokens=15, code_lines=3, lines=12, wide_lines=1, functions=(3,)
    )


def test_a_line_of_exactly_the_width_is_not_too_wide() -> None:
    """`LONG = "` and the closing quote take nine columns."""
    assert measured(TEXT.format("x" * 91)).wide_lines == 0


def test_the_command_prints_a_row_for_each_folder() -> None:
    """As `make sizes` runs it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.architecture.sizes"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line.split()[0] for line in done.stdout.splitlines()[2:]] == list(FOLDERS)
