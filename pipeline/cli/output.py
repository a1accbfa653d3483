"""The form of answers: for a person, or with `--json` for a program."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
import orjson

from pipeline.errors import ExitCode

if TYPE_CHECKING:  # imported by what draws: an answer that is plain text, or JSON, needs none
    from rich.console import Console, RenderableType
    from rich.table import Table


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command answers: `data` for `--json`, `shown` for a person, and how it ended."""

    data: Mapping[str, Any]
    shown: RenderableType
    exit_code: ExitCode = ExitCode.OK


PLAIN_WIDTH = 1000  # where nobody looks, lines are not wrapped


def columns(*headings: str, title: str | None = None) -> Table:
    """A table that cuts no text: with lines on a terminal, in plain columns elsewhere."""
    from rich.box import HEAVY_HEAD
    from rich.table import Table

    table = Table(box=HEAVY_HEAD if _is_terminal() else None, title=title, title_justify="left")
    if title is not None and not _is_terminal():
        table.min_width = len(title)  # else a title is broken to the width of its table
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def to_a_person() -> Console:
    """Standard error. Where it is no terminal, nothing is wrapped."""
    from rich.console import Console

    return Console(stderr=True, soft_wrap=not sys.stderr.isatty())


def say(line: str) -> None:
    """Progress, on standard error: never mixed with an answer."""
    to_a_person().print(line, highlight=False, markup=False)


def show(outcome: Outcome) -> None:
    """To a person, on standard output."""
    if isinstance(outcome.shown, str):
        click.echo(outcome.shown, nl=bool(outcome.shown))
    else:
        from rich.console import Console

        width = None if _is_terminal() else PLAIN_WIDTH
        Console(markup=False, width=width).print(outcome.shown, highlight=False)


def print_json(envelope: Mapping[str, Any]) -> None:
    click.echo(
        orjson.dumps(
            envelope,
            default=str,
            option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS,
        ).decode()
    )
