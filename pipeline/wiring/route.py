"""The routes that are configured: each with its group, topics, state and consumer,
so that commands need not tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from pipeline.config.settings import Settings
from pipeline.domain.routes import AnyRoute
from pipeline.errors import ConfigurationInvalid
from pipeline.mapping.route import Route
from pipeline.wiring.source import topics_in
from pipeline.wiring.state import State, state_of

if TYPE_CHECKING:
    from pipeline.engine.consumer.loop import Loop
    from pipeline.engine.consumer.ports import OffsetStore
    from pipeline.telemetry.health import Health
    from pipeline.telemetry.prometheus import PrometheusTelemetry

Consumer: TypeAlias = (
    "Callable[[Settings, PrometheusTelemetry, Health, Callable[[], bool], int],"
    " AbstractContextManager[Loop]]"
)
Keeper: TypeAlias = "Callable[[Settings], AbstractContextManager[OffsetStore]]"


@dataclass(frozen=True)
class RouteHandle:
    """A configured route. `topics`: what its consumers read, without the heartbeats."""

    of: AnyRoute
    group: str
    dead_letter_topic: str
    topics: tuple[str, ...]
    state: State
    consumer: Consumer
    keeper: Keeper

    @property
    def name(self) -> str:
        return self.of.name

    @property
    def title(self) -> str:
        return self.of.title

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems that it reads."""
        return tuple(self.of.reads)


def routes_of(settings: Settings) -> tuple[RouteHandle, ...]:
    """Every route that is configured."""
    return tuple(handle_of(settings, route) for route in settings.routes.configured)


def route_named(settings: Settings, name: str | None) -> RouteHandle:
    """The route of this name, or the only one. Raises ConfigurationInvalid."""
    return handle_of(settings, _named(settings, name, settings.routes.configured))


def projection_named(settings: Settings, name: str | None) -> Route:
    """The projection of this name, or the only one. Raises ConfigurationInvalid."""
    projections = [one for one in settings.routes.configured if isinstance(one, Route)]
    found = _named(settings, name, projections)
    if not isinstance(found, Route):
        raise ConfigurationInvalid(f"routes.{found.name} is no projection.")
    return found


def _named(settings: Settings, name: str | None, among: Sequence[AnyRoute]) -> AnyRoute:
    if name is not None:
        return settings.routes.named(name)
    if len(among) > 1:
        names = ", ".join(one.name for one in among)
        raise ConfigurationInvalid(f"several routes are configured ({names}): add --route.")
    if not among:
        names = ", ".join(one.name for one in settings.routes.configured) or "none"
        raise ConfigurationInvalid(
            f"no route that this command is about is configured; configured: {names}."
        )
    return among[0]


def handle_of(settings: Settings, route: AnyRoute) -> RouteHandle:
    """Raises ConfigurationInvalid where the route is not configured."""
    own = settings.routes.section(route)
    return RouteHandle(
        of=route,
        group=own.group,
        dead_letter_topic=own.dead_letter_topic,
        topics=tuple(
            topic
            for system, tables in route.reads.items()
            for topic in topics_in(settings, system, tables)
        ),
        state=state_of(settings, route),
        consumer=partial(_consumer, route),
        keeper=partial(_keeper, route),
    )


def _consumer(
    route: AnyRoute,
    settings: Settings,
    telemetry: PrometheusTelemetry,
    health: Health,
    stop: Callable[[], bool],
    member: int,
) -> AbstractContextManager[Loop]:
    """Imports what the route's consumers are made of: other commands start without it."""
    if isinstance(route, Route):
        from pipeline.wiring import projection

        return projection.consumer(route, settings, telemetry, health, stop, member)
    from pipeline.wiring import exchange

    return exchange.consumer(settings, telemetry, health, stop, member)


def _keeper(route: AnyRoute, settings: Settings) -> AbstractContextManager[OffsetStore]:
    if isinstance(route, Route):
        from pipeline.wiring import projection

        return projection.keeper(route, settings)
    from pipeline.wiring import exchange

    return exchange.pairs_of(settings)
