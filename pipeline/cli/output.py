"""The form of answers: for a person, or with `--json` for a program."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click
import orjson

from pipeline.cli.drawing import Columns, Drawn
from pipeline.errors import ExitCode


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command answers: `data` for `--json`, `shown` for a person, and how it ended."""

    data: Mapping[str, Any]
    shown: str | Drawn
    exit_code: ExitCode = ExitCode.OK


def columns(*headings: str, title: str | None = None) -> Columns:
    """A table that cuts no text: with lines on a terminal, in plain columns elsewhere."""
    return Columns(headings, title)


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def say(line: str, style: str = "") -> None:
    """Progress and errors, on standard error: never mixed with an answer. A terminal wraps it at
    words.
    """
    if not sys.stderr.isatty():
        click.echo(line, err=True)
        return
    from rich.console import Console

    Console(stderr=True).print(line, style=style, highlight=False, markup=False)


def show(outcome: Outcome) -> None:
    """To a person, on standard output; plain where that is no terminal."""
    if isinstance(outcome.shown, str):
        click.echo(outcome.shown, nl=bool(outcome.shown))
    elif _is_terminal():
        from rich.console import Console

        Console(markup=False).print(outcome.shown, highlight=False)
    else:
        for line in outcome.shown.plain():
            click.echo(line)


def print_json(envelope: Mapping[str, Any]) -> None:
    click.echo(
        orjson.dumps(
            envelope,
            default=str,
            option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS,
        ).decode()
    )
