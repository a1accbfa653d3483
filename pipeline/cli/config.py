"""`ajera-cdc config`: the settings in force, and a file to fill in."""

from __future__ import annotations

import click
import tomli_w

from pipeline.cli.choices import routes_of
from pipeline.cli.command import command, plain_command
from pipeline.cli.output import Outcome
from pipeline.config.document import template
from pipeline.config.settings import Settings
from pipeline.model.audit import Changes


@click.group("config")
def configuration() -> None:
    """Show the settings in force, or print a file to fill in."""


@command("show", changes=Changes.NOTHING, group=configuration)
def show(settings: Settings) -> Outcome:
    """Every setting as it is in force, from the file and the environment; secrets as ***."""
    shown = settings.shown()
    return Outcome(shown, tomli_w.dumps(_without_none(shown)).rstrip("\n"))


@plain_command("template", group=configuration)
@click.pass_context
def print_template(context: click.Context) -> Outcome:
    """A settings file with every key documented in place."""
    text = template(routes_of(context))
    return Outcome({"toml": text}, text.rstrip("\n"))


def _without_none(value: dict[str, object]) -> dict[str, object]:
    """TOML has no null: a key that is not set is left out."""
    return {
        name: _without_none(inner) if isinstance(inner, dict) else inner
        for name, inner in value.items()
        if inner is not None
    }
