"""What every command shares: `--json`, the form of answers, and the one place from an error to an exit code."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec

import click
import orjson
from rich.console import Console, RenderableType

from pipeline.config import Settings, load
from pipeline.errors import ExitCode, PipelineError, Remedy

P = ParamSpec("P")
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command answers: `data` for `--json`, `shown` for a person, and how it ended."""

    data: Mapping[str, Any]
    shown: RenderableType
    exit_code: ExitCode = ExitCode.OK


def say(line: str) -> None:
    """Progress, on standard error: never mixed with an answer."""
    Console(stderr=True).print(line, highlight=False, markup=False)


def settings_of(context: click.Context) -> Settings:
    """The settings of this call. Raises ConfigurationInvalid, EditionUnsupported."""
    path = context.find_root().params.get("config")
    return load(path, os.environ)


def command(
    name: str, *, group: click.Group | None = None
) -> Callable[[Callable[Concatenate[Settings, P], Outcome]], click.Command]:
    """A command that needs the settings: they come first, then its own options."""

    def make(function: Callable[Concatenate[Settings, P], Outcome]) -> click.Command:
        @functools.wraps(function)
        def with_settings(*args: P.args, **kwargs: P.kwargs) -> Outcome:
            return function(settings_of(click.get_current_context()), *args, **kwargs)

        return plain_command(name, group=group)(with_settings)

    return make


def plain_command(name: str, *, group: click.Group | None = None) -> Callable[[Callable[..., Outcome]], click.Command]:
    """A command that needs no settings."""

    def make(function: Callable[..., Outcome]) -> click.Command:
        @functools.wraps(function)
        def answered(*args: Any, as_json: bool, **kwargs: Any) -> None:
            sys.exit(answer(_path(click.get_current_context()), as_json, lambda: function(*args, **kwargs)))

        option = click.option("--json", "as_json", is_flag=True, help="Answer as one JSON object.")
        made = click.command(name)(option(answered))
        if group is not None:
            group.add_command(made)
        return made

    return make


def _path(context: click.Context) -> str:
    """The words of the command below the program's name: "connectors apply"."""
    names: list[str] = []
    while context.parent is not None:
        names.insert(0, context.info_name or "")
        context = context.parent
    return " ".join(names)


def answer(name: str, as_json: bool, call: Callable[[], Outcome]) -> int:  # noqa: FBT001 (a flag of the command line)
    """Call, print what it answers or why it failed, and return the exit code."""
    try:
        outcome = call()
    except PipelineError as error:
        _print_error(name, as_json, error.code, str(error), error.hint, error.remedy)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except click.ClickException:
        raise
    except Exception as error:
        if os.environ.get("AJERA_CDC_TRACEBACK"):
            traceback.print_exc()
        hint = "This is a fault of the program. AJERA_CDC_TRACEBACK=1 shows where; its text may hold row values."
        _print_error(name, as_json, "internal.unexpected", type(error).__name__, hint, Remedy.HALT)
        return ExitCode.RUNTIME
    if as_json:
        _print_json({"ok": outcome.exit_code == ExitCode.OK, "command": name, "data": outcome.data})
    elif outcome.shown != "":
        Console().print(outcome.shown, highlight=False)
    return outcome.exit_code


def _print_error(name: str, as_json: bool, code: str, message: str, hint: str, remedy: Remedy) -> None:  # noqa: FBT001
    if as_json:
        error = {"code": code, "message": message, "hint": hint, "remedy": remedy}
        _print_json({"ok": False, "command": name, "error": error})
        return
    console = Console(stderr=True)
    console.print(f"{code}: {message}", style="red", highlight=False, markup=False)
    if hint:
        console.print(hint, highlight=False, markup=False)


def _print_json(envelope: Mapping[str, Any]) -> None:
    click.echo(orjson.dumps(envelope, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())
