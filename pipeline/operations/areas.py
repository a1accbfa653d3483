"""What `check` can look at, by name: asked for by the help, which starts without what looks."""

from __future__ import annotations

from pipeline.domain.routes import Routes
from pipeline.mapping.route import Route

AJERA, DPS, KAFKA, REGISTRY, CONNECT = "Ajera", "DPS", "Kafka", "registry", "Connect"


def area_of(route: Route) -> str:
    """What is called so is what a projection needs of its target: after the target, or after the
    route where others write there, too.
    """
    return route.name if route.into else route.target_system


def areas(routes: Routes) -> list[str]:
    """In the order in which they are looked at."""
    targets = [area_of(route) for route in routes if isinstance(route, Route)]
    return [AJERA, *targets, DPS, KAFKA, REGISTRY, CONNECT]
