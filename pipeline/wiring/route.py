"""The routes that are configured: each with its group, topics, state and consumer,
so that commands need not tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

from pipeline.config.settings import Settings
from pipeline.decoding.naming import topic_name
from pipeline.domain.routes import AJERA_AND_DPS, AJERA_TO_PIM
from pipeline.engine.consumer.loop import Loop
from pipeline.engine.consumer.ports import OffsetStore
from pipeline.errors import ConfigurationInvalid
from pipeline.mapping.source import SourceTable
from pipeline.telemetry.health import Health
from pipeline.telemetry.metrics import PrometheusTelemetry
from pipeline.wiring import exchange, projection
from pipeline.wiring.source import System
from pipeline.wiring.state import State, state_of_dps, state_of_pim

RouteName = Literal["pim", "dps"]
NAMES: tuple[RouteName, ...] = ("pim", "dps")
Consumer = Callable[
    [Settings, PrometheusTelemetry, Health, Callable[[], bool]],
    AbstractContextManager[Loop],
]


@dataclass(frozen=True)
class RouteHandle:
    """A configured route. `topics`: what its consumers read, without the heartbeats."""

    name: RouteName
    title: str
    group: str
    dead_letter_topic: str
    topics: tuple[str, ...]
    systems: tuple[System, ...]
    state: State
    consumer: Consumer
    keeper: Callable[[Settings], AbstractContextManager[OffsetStore]]


def routes_of(settings: Settings) -> tuple[RouteHandle, ...]:
    """Every route that is configured."""
    return tuple(
        MAKERS[name](settings) for name in NAMES if getattr(settings.routes, name) is not None
    )


def route_named(settings: Settings, name: RouteName | None) -> RouteHandle:
    """The route of this name, or the only one. Raises ConfigurationInvalid."""
    if name is not None:
        return MAKERS[name](settings)
    found = routes_of(settings)
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise ConfigurationInvalid(f"several routes are configured ({names}): add --route.")
    return found[0]


def _pim(settings: Settings) -> RouteHandle:
    own = settings.to_pim
    return RouteHandle(
        name="pim",
        title=AJERA_TO_PIM.title,
        group=own.group,
        dead_letter_topic=own.dead_letter_topic,
        topics=_topics(settings, settings.ajera.topic_prefix, AJERA_TO_PIM.reads["ajera"]),
        systems=("ajera",),
        state=state_of_pim(settings),
        consumer=projection.consumer,
        keeper=projection.keeper,
    )


def _dps(settings: Settings) -> RouteHandle:
    own = settings.exchange
    return RouteHandle(
        name="dps",
        title=AJERA_AND_DPS.title,
        group=own.group,
        dead_letter_topic=own.dead_letter_topic,
        topics=(
            *_topics(settings, settings.ajera.topic_prefix, AJERA_AND_DPS.ajera),
            *_topics(settings, settings.dps.topic_prefix, AJERA_AND_DPS.dps),
        ),
        systems=("ajera", "dps"),
        state=state_of_dps(settings),
        consumer=exchange.consumer,
        keeper=exchange.pairs_of,
    )


MAKERS: dict[RouteName, Callable[[Settings], RouteHandle]] = {
    "pim": _pim,
    "dps": _dps,
}


def _topics(settings: Settings, prefix: str, tables: tuple[SourceTable, ...]) -> tuple[str, ...]:
    return tuple(topic_name(prefix, settings.site.source_table(table.name)) for table in tables)
