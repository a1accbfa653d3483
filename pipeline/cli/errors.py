"""The one place from an error to what is said of it, and to an exit code."""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass

import click

from pipeline.cli.output import print_json, say
from pipeline.cli.start import INTERRUPTED
from pipeline.errors import ExitCode, PipelineError, Remedy, UsageError


@dataclass(frozen=True, slots=True)
class Failure:
    """What is said of an error."""

    code: str
    message: str
    hint: str
    remedy: Remedy
    exit_code: int


UNEXPECTED = (
    "This is a fault of the program. AJERA_CDC_TRACEBACK=1 shows where; its text may hold row "
    "values."
)
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
        print_json({"ok": False, "command": name, "error": told})
    elif isinstance(error, click.UsageError):
        error.show()
    else:
        say(f"{found.code}: {found.message}", style="red")
        if found.hint:
            say(found.hint)
        if isinstance(error, PipelineError):
            say(f"`ajera-cdc explain {found.code}` shows what it means and what to type.")
    return found.exit_code
