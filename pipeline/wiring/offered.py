"""What of a projection there is at a site: by its Ajera's version, its CRM, and its switches."""

from __future__ import annotations

from pipeline.config.settings import Settings
from pipeline.conflicts.version import parse
from pipeline.errors import ConfigurationInvalid
from pipeline.mapping.route import Route


def switched_on(settings: Settings, route: Route) -> Route:
    """The route with the entities that are switched on.
    Raises ConfigurationInvalid where it is not configured.
    """
    return route.only(_entities(settings, route))


def _entities(settings: Settings, route: Route) -> frozenset[str]:
    return settings.routes.projection(route).entities & route.at(settings.site.assumptions)


def require_offered(settings: Settings, route: Route) -> None:
    """Raises ConfigurationInvalid where there is no such route at this site, or nothing of it; and
    AjeraVersionInvalid.
    """
    version = settings.ajera.version or ""
    if route.since and parse(version) < parse(route.since):
        raise ConfigurationInvalid(
            f"routes.{route.name}: there is no {route.title} below Ajera {route.since}, and"
            f' sources.ajera.version is "{version}". Without its section the rest runs.'
        )
    if not _entities(settings, route):
        there = ", ".join(sorted(route.at(settings.site.assumptions)))
        raise ConfigurationInvalid(
            f"routes.{route.name}: nothing is switched on that there is at this site; by the site"
            f" profile's assumptions.crm there are {there}."
        )


def offered(settings: Settings, route: Route) -> Route:
    """The same, of a route that there is at this site. Raises as `require_offered`."""
    require_offered(settings, route)
    return switched_on(settings, route)
