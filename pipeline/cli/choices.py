"""Options and arguments whose choices are what the program's routes give."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipeline.domain.routes import Routes


def routes_of(context: click.Context) -> Routes:
    """The routes of the program that is running."""
    found: Callable[[], Routes] = context.find_root().obj
    return found()


class RouteChoice(click.ParamType):  # type: ignore[type-arg] # generic in the newest click alone
    """One of the names that the routes of the program give."""

    name = "choice"

    def __init__(self, names: Callable[[Routes], Iterable[str]]) -> None:
        self._names = names

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        return self._choice(ctx).convert(value, param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        return self._choice(ctx).get_metavar(param, ctx)

    def _choice(self, context: click.Context | None) -> click.Choice[str]:
        routes = routes_of(context or click.get_current_context())
        return click.Choice(list(self._names(routes)), case_sensitive=False)


def _names(routes: Routes) -> list[str]:
    return [route.name for route in routes]


def _systems(routes: Routes) -> dict[str, None]:
    return dict.fromkeys(system for route in routes for system in route.reads)


ROUTE = RouteChoice(_names)
SOURCE = RouteChoice(_systems)

route_option = click.option(
    "--route",
    type=ROUTE,
    help="Which route. Default: the one that is configured.",
)

every_route_option = click.option(
    "--route",
    type=ROUTE,
    help="Which route. Default: every one that is configured.",
)
