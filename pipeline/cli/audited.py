"""The audit line of a command, written by the decorator that makes it one."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import click
from click.core import ParameterSource

from pipeline.cli.errors import failure_of
from pipeline.cli.output import Outcome
from pipeline.config.settings import Settings
from pipeline.errors import ExitCode
from pipeline.model.audit import AuditEntry, Changes

HIDDEN = "***"


class RowValue(click.Option):
    """An option whose value is what a row holds: no log and no audit line has it."""


def audited(
    settings: Settings, changes: Changes, path: str, call: Callable[[], Outcome]
) -> Outcome:
    """Call a command, and leave a line however it ends. A rehearsal changes nothing: no line."""
    if not changes.is_audited or click.get_current_context().params.get("dry_run"):
        return call()
    outcome = "ok"
    try:
        answered = call()
        if answered.exit_code != ExitCode.OK:
            outcome = f"exit code {answered.exit_code:d}"
    except (Exception, KeyboardInterrupt) as error:
        outcome = failure_of(error).code
        raise
    finally:
        _record(settings, changes, path, outcome)
    return answered


def _record(settings: Settings, changes: Changes, path: str, outcome: str) -> None:
    from pipeline.operations import audit  # what only reads starts without it
    from pipeline.telemetry import log

    context = click.get_current_context()
    entry = AuditEntry(audit.now(), audit.who(), path, typed(context), outcome)
    report = partial(log.line, settings.log.format, sys.stderr)
    audit.record(settings, changes, context.params, entry, report)


def typed(context: click.Context) -> str:
    """The options and arguments of this call as they were typed, without row values
    and --json.
    """
    words: list[str] = []
    for parameter in context.command.get_params(context):
        name = parameter.name or ""
        is_typed = context.get_parameter_source(name) not in (None, ParameterSource.DEFAULT)
        if is_typed and name != "as_json":
            words += _words(parameter, context.params.get(name))
    return shlex.join(words)


def _words(parameter: click.Parameter, value: Any) -> list[str]:
    values = value if isinstance(value, (tuple, list)) else (value,)
    shown = [HIDDEN if isinstance(parameter, RowValue) else str(one) for one in values]
    if not isinstance(parameter, click.Option):
        return shown
    option = parameter.opts[-1]
    if parameter.is_flag:
        return [option if value else parameter.secondary_opts[-1]]
    return [word for one in shown for word in (option, one)]
