"""The live table of `make run`."""

from __future__ import annotations

from collections import Counter

from rich.console import Console

from deploy.demo.screen import KEPT, Figures, Shown, draw

EVENTS = (
    "parked (waiting)",
    "skipped (heartbeat)",
    "skipped (superseded)",
    "skipped (snapshot)",
    "written (created)",
)


def test_the_live_table_fits_into_a_hundred_columns_with_numbers_of_five_digits() -> None:
    """Ten times the sample firm; where it goes into a file or a page, rich folds what is wider."""
    figures = Figures(
        Counter(dict.fromkeys(EVENTS, 99_999)),
        Counter(created=99_999, changed=99_999),
    )
    shown = Shown(
        state="A working day at the firm",
        pim={"Project_Contact": 99_999},
        dps={"PRContactAssoc": 99_999},
        pairs={"project_contact": 99_999},
        kept=dict.fromkeys(KEPT, 99_999),
        to_pim=figures,
        exchange=figures,
        edits={"Ajera": 99_999, "DPS": 99_999},
        story=[],
    )
    wide, narrow = Console(width=300), Console(width=100)
    for console in (wide, narrow):
        with console.capture() as captured:
            console.print(draw(shown))
        lines = captured.get().splitlines()
        assert max(len(line.rstrip()) for line in lines) <= 100
    assert "99,999" in captured.get()
