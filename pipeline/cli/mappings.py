"""`ajera-cdc mappings`: what is mapped to what."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipeline.cli.choices import ROUTE, route_option, routes_of
from pipeline.cli.command import command, plain_command, settings_of
from pipeline.cli.drawing import Group, Text
from pipeline.cli.output import Outcome, columns
from pipeline.cli.values import Name
from pipeline.config.settings import Settings
from pipeline.domain.status import StatusCoding
from pipeline.errors import ConfigurationInvalid, UsageError
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.model.audit import Changes

if TYPE_CHECKING:
    from pipeline.operations import exchange_mappings as exchange
    from pipeline.operations import mappings as operation


@click.group("mappings")
def mappings() -> None:
    """What is mapped to what."""


@plain_command("show", group=mappings)
@click.argument("route", type=ROUTE, required=False)
@click.option(
    "--entity",
    type=Name("the entity"),
    metavar="NAME",
    help="Only this entity of a projection, such as clients.",
)
@click.pass_context
def show_mappings(context: click.Context, route: str | None, entity: str | None) -> Outcome:
    """The maps of a route as they are in the code, with the names and rules of this site's profile.

    A projection's: the vendor's tables, line by line. The exchange's (dps): which columns are
    exchanged, in which direction, by which rule. Default: the first route. Without a settings file,
    the vendor's own names. Assumptions are numbered as in docs/assumptions.md.
    """
    from pipeline.operations import exchange_mappings as exchange
    from pipeline.operations import mappings as operation

    site, status = _site_and_coding(context)
    chosen = next(one for one in routes_of(context) if route in (None, one.name))
    if not isinstance(chosen, Route):
        return _exchanged(exchange.shown(site, status=status))
    if entity not in (None, *chosen.entities):
        raise UsageError(f"{chosen.name} has no entity {entity}: {', '.join(chosen.entities)}.")
    return _projected(chosen, operation.shown(site, chosen, entity))


def _projected(route: Route, tables: tuple[operation.ShownTable, ...]) -> Outcome:
    drawn = []
    for one in tables:
        title = f"{one.source} -> {one.target} ({one.name}): {one.only_if}"
        table = columns(
            "source column(s)",
            f"{route.target_system} field",
            "written",
            "note",
            "assumptions",
            title=title,
        )
        for line in one.lines:
            numbers = ", ".join(map(str, line.assumptions))
            table.add_row(line.source, line.target, line.written, line.note, numbers)
        drawn.append(table)
    return Outcome(
        {
            "target": route.name,
            "tables": [asdict(table) for table in tables],
        },
        Group(*drawn),
    )


@command("recompute", changes=Changes.PROJECTION, group=mappings)
@route_option
@click.option("--all", "is_whole", is_flag=True, help="Every map, changed or not.")
def recompute_mapped(settings: Settings, *, route: str | None, is_whole: bool) -> Outcome:
    """Apply this release's maps to every row of a projection, where other maps were applied last.

    Consumers do that by themselves when a newer release changes a map. One of an older release
    leaves the newer one's maps as they are, so that two releases can run side by side. So run it
    after a rollback, once all consumers are of the older release; and with --all after a rolling
    restart into a release that changed maps. Only what differs is written.
    """
    from pipeline.operations.recompute import recompute

    found = recompute(settings, route, is_whole=is_whole)
    names = ", ".join(found.recomputed) or "no map has changed"
    return Outcome({"recomputed": list(found.recomputed)}, Text(f"recomputed: {names}"))


def _exchanged(tables: tuple[exchange.ExchangedTable, ...]) -> Outcome:
    drawn = []
    for one in tables:
        made = " and ".join(one.created_in)
        title = f"{one.entity}: {one.ajera} and {one.dps}, created in {made}"
        table = columns(
            "line",
            "Ajera",
            "DPS",
            "direction",
            "rule",
            "owner",
            "note",
            title=title,
        )
        for line in one.lines:
            table.add_row(
                line.name,
                line.ajera,
                line.dps,
                line.direction,
                line.rule,
                line.owner,
                line.note,
            )
        drawn.append(table)
    return Outcome(
        {"target": "dps", "tables": [asdict(table) for table in tables]},
        Group(*drawn),
    )


def _site_and_coding(context: click.Context) -> tuple[Site, StatusCoding]:
    try:
        settings = settings_of(context)
        route = settings.routes.exchange
        return settings.site, StatusCoding("none" if route is None else route.status_coding)
    except ConfigurationInvalid:
        if context.find_root().params.get("config") is not None:
            raise
        return Site(), StatusCoding.NONE
