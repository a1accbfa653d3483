"""What makes a function a command: its settings, `--json`, and how it ends."""

from __future__ import annotations

import errno
import functools
import os
import sys
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

import click

from pipeline.cli.audited import audited
from pipeline.cli.choices import routes_of
from pipeline.cli.errors import fail
from pipeline.cli.output import Outcome, print_json, say, show
from pipeline.cli.program import path_of
from pipeline.config.load import load
from pipeline.config.settings import Settings
from pipeline.errors import ExitCode, UsageError
from pipeline.model.audit import Changes

P = ParamSpec("P")


class Command(click.Command):
    """A command that says what it changes."""

    changes = Changes.NOTHING


def settings_of(context: click.Context) -> Settings:
    """The settings of this call. Raises ConfigurationInvalid, EditionUnsupported."""
    path = context.find_root().params.get("config")
    return load(path, os.environ, routes_of(context))


def command(
    name: str, *, changes: Changes, group: click.Group | None = None
) -> Callable[[Callable[Concatenate[Settings, P], Outcome]], Command]:
    """A command that needs the settings: they come first, then its own options.

    What it `changes` decides where its audit line is kept; the command says it.
    """

    def make(
        function: Callable[Concatenate[Settings, P], Outcome],
    ) -> Command:
        @functools.wraps(function)
        def with_settings(*args: P.args, **kwargs: P.kwargs) -> Outcome:
            context = click.get_current_context()
            settings = settings_of(context)
            return audited(
                settings, changes, path_of(context), lambda: function(settings, *args, **kwargs)
            )

        made = plain_command(name, group=group)(with_settings)
        made.changes = changes
        return made

    return make


def plain_command(
    name: str, *, group: click.Group | None = None
) -> Callable[[Callable[..., Outcome]], Command]:
    """A command that needs no settings, and changes nothing that the pipeline keeps."""

    def make(function: Callable[..., Outcome]) -> Command:
        @functools.wraps(function)
        def answered(*args: Any, as_json: bool, **kwargs: Any) -> None:
            sys.exit(
                answer(
                    path_of(click.get_current_context()),
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
        made = click.command(name, cls=Command)(option(answered))
        if group is not None:
            group.add_command(made)
        return made

    return make


def confirm(question: str, *, yes: bool) -> None:
    """Ask on standard error, unless `yes`. Raises UsageError with --json, which asks nothing,
    and click.Abort for a no.
    """
    if yes:
        return
    if click.get_current_context().params.get("as_json"):
        raise UsageError("--json asks nothing: add --yes.")
    click.confirm(question, abort=True, err=True)


def answer(
    name: str,
    as_json: bool,  # noqa: FBT001 (a flag of the command line)
    call: Callable[[], Outcome],
) -> int:
    """Call, print what it answers or why it failed, and return the exit code."""
    try:
        outcome = call()
    except (Exception, KeyboardInterrupt) as error:
        return fail(name, as_json, error)
    try:
        if as_json:
            is_ok = outcome.exit_code == ExitCode.OK
            print_json({"ok": is_ok, "command": name, "data": outcome.data})
        else:
            show(outcome)
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise  # who read it has seen enough
        told = f"{name} was carried out, and its answer cannot be written: {error.strerror}."
        say(told, style="red")
        return ExitCode.RUNTIME
    return outcome.exit_code
