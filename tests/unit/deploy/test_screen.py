"""The live table of `make run`."""

from __future__ import annotations

from collections import Counter

from rich.console import Console

from deploy.demo import compact
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
        accounts={"projects": 99_999, "team rows": 99_999},
        to_pim=figures,
        exchange=figures,
        accounting=figures,
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


def test_the_small_screen_fits_into_eighty_columns_and_twenty_four_lines() -> None:
    """With everything wrong that can be, and a story as long as it gets;
    what is unknown is no zero.
    """
    figures = Figures(Counter(dict.fromkeys(EVENTS, 99_999)), parked=999.0)
    shown = Shown(
        state="Ann in Ajera and Bob in DPS type into the same fields",
        pim={"Project_Contact": 999_999},
        dps={"PRContactAssoc": 999_999},
        pairs={"project_contact": 99_999},
        kept=dict.fromkeys(KEPT, 9_999),
        accounts={"projects": 99_999, "team rows": 99_999},
        to_pim=figures,
        exchange=figures,
        accounting=figures,
        edits={"Ajera": 99_999, "DPS": 99_999},
        story=["a line of the story that is longer than the terminal is wide, and then some"] * 20,
        lags={"pim": 1_999_999, "dps": None, "accounting": 1_999_999},
        wrong=["target.busy: the target database does not answer, and this is a long sentence"] * 9,
        places=[
            "settings .stack/run/01234567/ajera-cdc.toml",
            "logs .stack/run/01234567/logs",
            "m",
        ],
    )
    console = Console(width=80, height=24)
    with console.capture() as captured:
        console.print(compact.draw(shown))
    lines = captured.get().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    assert len(lines) <= 24
    assert "1,999,999" in captured.get()
    assert " ? " in captured.get()
