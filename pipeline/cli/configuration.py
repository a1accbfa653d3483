"""`ajera-cdc config` and `ajera-cdc mappings`: what is set, and what is mapped."""

from __future__ import annotations

from dataclasses import asdict

import click
import tomli_w
from rich.console import Group
from rich.syntax import Syntax
from rich.table import Table

from pipeline.cli.output import Outcome, command, plain_command
from pipeline.config.document import template
from pipeline.config.settings import Settings
from pipeline.domain.status import StatusCoding
from pipeline.errors import ConfigurationInvalid
from pipeline.mapping.site import Site
from pipeline.operations import exchange_mappings as exchange
from pipeline.operations import mappings as operation


@click.group("config")
def configuration() -> None:
    """Show the settings in force, or print a file to fill in."""


@command("show", group=configuration)
def show(settings: Settings) -> Outcome:
    """Every setting as it is in force, from the file and the environment; secrets as ***."""
    shown = settings.shown()
    return Outcome(shown, Syntax(tomli_w.dumps(_without_none(shown)), "toml", background_color="default"))


@plain_command("template", group=configuration)
def print_template() -> Outcome:
    """A settings file with every key documented in place."""
    return Outcome({"toml": template()}, template().rstrip("\n"))


@click.group("mappings")
def mappings() -> None:
    """What is mapped to what."""


@plain_command("show", group=mappings)
@click.argument("target", type=click.Choice(["pim", "dps"]), default="pim")
@click.option("--entity", type=click.Choice(operation.entities()), help="Only this entity.")
@click.pass_context
def show_mappings(context: click.Context, target: str, entity: str | None) -> Outcome:
    """The maps as they stand in the code, with the names and rules of this site's profile.

    pim: the vendor's tables, line by line. dps: which columns are exchanged, in which direction, by which rule. Without
    a settings file, the vendor's own names. Assumptions are numbered as in docs/assumptions.md.
    """
    if target == "dps":
        site, status = _site_and_coding(context)
        return _exchanged(exchange.shown(site, status=status))
    tables = operation.shown(_site_and_coding(context)[0], entity)
    drawn = []
    for one in tables:
        title = f"{one.source} -> {one.target} ({one.name}): {one.only_if}"
        table = Table(*HEADINGS, title=title, title_justify="left")
        for line in one.lines:
            table.add_row(line.source, line.target, line.written, line.note, _numbers(line.assumptions))
        drawn.append(table)
    return Outcome({"target": target, "tables": [asdict(table) for table in tables]}, Group(*drawn))


def _exchanged(tables: tuple[exchange.ExchangedTable, ...]) -> Outcome:
    drawn = []
    for one in tables:
        made = " and ".join(one.created_in)
        title = f"{one.entity}: {one.ajera} and {one.dps}, created in {made}"
        table = Table("line", "Ajera", "DPS", "direction", "rule", "owner", "note", title=title, title_justify="left")
        for line in one.lines:
            table.add_row(line.name, line.ajera, line.dps, line.direction, line.rule, line.owner, line.note)
        drawn.append(table)
    return Outcome({"target": "dps", "tables": [asdict(table) for table in tables]}, Group(*drawn))


HEADINGS = ("Ajera column(s)", "PIM field", "written", "note", "assumptions")


def _numbers(assumptions: tuple[int, ...]) -> str:
    return ", ".join(map(str, assumptions))


def _site_and_coding(context: click.Context) -> tuple[Site, StatusCoding]:
    from pipeline.cli.output import settings_of

    try:
        settings = settings_of(context)
        route = settings.routes.dps
        return settings.site, StatusCoding("none" if route is None else route.status_coding)
    except ConfigurationInvalid:
        if context.find_root().params.get("config") is not None:
            raise
        return Site(), StatusCoding.NONE


def _without_none(value: dict[str, object]) -> dict[str, object]:
    """TOML has no null: a key that is not set is left out."""
    return {
        name: _without_none(inner) if isinstance(inner, dict) else inner
        for name, inner in value.items()
        if inner is not None
    }
