"""What every command shares: `--json`, the form of answers,
and the one place from an error to an exit code.
"""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec

import click
import orjson
from rich.console import Console, RenderableType

from pipeline.cli.choices import routes_of
from pipeline.config.load import load
from pipeline.config.settings import Settings
from pipeline.errors import ExitCode, PipelineError, Remedy, UsageError

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
    return load(path, os.environ, routes_of(context))


def command(
    name: str, *, group: click.Group | None = None
) -> Callable[[Callable[Concatenate[Settings, P], Outcome]], click.Command]:
    """A command that needs the settings: they come first, then its own options."""

    def make(
        function: Callable[Concatenate[Settings, P], Outcome],
    ) -> click.Command:
        @functools.wraps(function)
        def with_settings(*args: P.args, **kwargs: P.kwargs) -> Outcome:
            return function(settings_of(click.get_current_context()), *args, **kwargs)

        return plain_command(name, group=group)(with_settings)

    return make


def plain_command(
    name: str, *, group: click.Group | None = None
) -> Callable[[Callable[..., Outcome]], click.Command]:
    """A command that needs no settings."""

    def make(function: Callable[..., Outcome]) -> click.Command:
        @functools.wraps(function)
        def answered(*args: Any, as_json: bool, **kwargs: Any) -> None:
            sys.exit(
                answer(
                    _path(click.get_current_context()),
                    as_json,
                    lambda: function(*args, **kwargs),
                )
            )

        option = click.option(
            "--json",
            "as_json",
            is_flag=True,
            help="Answer as one JSON object.",
        )
        made = click.command(name)(option(answered))
        if group is not None:
            group.add_command(made)
        return made

    return make


def _path(context: click.Context | None) -> str:
    """The words of the command below the program's name: "connectors apply"."""
    names: list[str] = []
    while context is not None and context.parent is not None:
        names.insert(0, context.info_name or "")
        context = context.parent
    return " ".join(names)


def confirm(question: str, *, yes: bool) -> None:
    """Ask on standard error, unless `yes`. Raises UsageError with --json, which asks nothing,
    and click.Abort for a no.
    """
    if yes:
        return
    if click.get_current_context().params.get("as_json"):
        raise UsageError("--json asks nothing: add --yes.")
    click.confirm(question, abort=True, err=True)


def answer(name: str, as_json: bool, call: Callable[[], Outcome]) -> int:  # noqa: FBT001 (a flag of the command line)
    """Call, print what it answers or why it failed, and return the exit code."""
    try:
        outcome = call()
    except (Exception, KeyboardInterrupt) as error:
        return fail(name, as_json, error)
    if as_json:
        _print_json(
            {
                "ok": outcome.exit_code == ExitCode.OK,
                "command": name,
                "data": outcome.data,
            }
        )
    elif isinstance(outcome.shown, str):
        click.echo(outcome.shown, nl=bool(outcome.shown))
    else:
        Console(markup=False).print(outcome.shown, highlight=False)
    return outcome.exit_code


class Program(click.Group):
    """The whole command line. Wrong usage ends as every other error does: with an envelope,
    if --json was among the words.
    """

    def main(self, args: Sequence[str] | None = None, **options: Any) -> Any:  # type: ignore[override] # all but `args` pass
        """Never returns, as click's own; raises SystemExit."""
        words = list(sys.argv[1:] if args is None else args)
        try:
            sys.exit(super().main(words, **{**options, "standalone_mode": False}))
        except (click.ClickException, click.Abort) as error:
            place = error.ctx if isinstance(error, click.UsageError) else None
            sys.exit(fail(_path(place), "--json" in words, error))


# -- the one place from an error to what is said of it, and to an exit code ------------------------


@dataclass(frozen=True, slots=True)
class Failure:
    """What is said of an error."""

    code: str
    message: str
    hint: str
    remedy: Remedy
    exit_code: int


UNEXPECTED = "This is a fault of the program. AJERA_CDC_TRACEBACK=1 shows where; its text may hold row values."
INTERRUPTION = Failure("cli.interrupted", "Interrupted.", "", Remedy.HALT, INTERRUPTED)
REFUSAL = Failure(
    "cli.declined",
    "Not confirmed; nothing was changed.",
    "--yes does not ask.",
    Remedy.HALT,
    ExitCode.RUNTIME,
)


def failure_of(error: BaseException) -> Failure:
    """Every way in which a command can fail."""
    match error:
        case PipelineError():
            return Failure(error.code, str(error), error.hint, error.remedy, error.exit_code)
        case KeyboardInterrupt():
            return INTERRUPTION
        case click.Abort():
            return INTERRUPTION if isinstance(error.__context__, KeyboardInterrupt) else REFUSAL
        case click.UsageError():
            path = "ajera-cdc" if error.ctx is None else error.ctx.command_path
            hint = f"`{path} --help` shows how."
            return Failure(
                UsageError.code,
                error.format_message(),
                hint,
                Remedy.HALT,
                ExitCode.USAGE,
            )
        case click.ClickException():
            return Failure(
                UsageError.code,
                error.format_message(),
                "",
                Remedy.HALT,
                ExitCode.RUNTIME,
            )
        case _:
            return Failure(
                "internal.unexpected",
                type(error).__name__,
                UNEXPECTED,
                Remedy.HALT,
                ExitCode.RUNTIME,
            )


def fail(name: str, as_json: bool, error: BaseException) -> int:  # noqa: FBT001
    """Print why a command failed, and return its exit code."""
    found = failure_of(error)
    if found.code == "internal.unexpected" and os.environ.get("AJERA_CDC_TRACEBACK"):
        traceback.print_exception(error)
    if as_json:
        told = {
            "code": found.code,
            "message": found.message,
            "hint": found.hint,
            "remedy": found.remedy,
        }
        _print_json({"ok": False, "command": name, "error": told})
    elif isinstance(error, click.UsageError):
        error.show()
    else:
        console = Console(stderr=True)
        console.print(
            f"{found.code}: {found.message}",
            style="red",
            highlight=False,
            markup=False,
        )
        if found.hint:
            console.print(found.hint, highlight=False, markup=False)
    return found.exit_code


def _print_json(envelope: Mapping[str, Any]) -> None:
    click.echo(
        orjson.dumps(
            envelope,
            default=str,
            option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS,
        ).decode()
    )
