"""The form of answers: for a person, or with `--json` for a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click
import orjson
from rich.console import Console, RenderableType

from pipeline.errors import ExitCode


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command answers: `data` for `--json`, `shown` for a person, and how it ended."""

    data: Mapping[str, Any]
    shown: RenderableType
    exit_code: ExitCode = ExitCode.OK


def say(line: str) -> None:
    """Progress, on standard error: never mixed with an answer."""
    Console(stderr=True).print(line, highlight=False, markup=False)


def show(outcome: Outcome) -> None:
    """To a person, on standard output."""
    if isinstance(outcome.shown, str):
        click.echo(outcome.shown, nl=bool(outcome.shown))
    else:
        Console(markup=False).print(outcome.shown, highlight=False)


def print_json(envelope: Mapping[str, Any]) -> None:
    click.echo(
        orjson.dumps(
            envelope,
            default=str,
            option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS,
        ).decode()
    )
