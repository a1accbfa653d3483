"""Where a projection finds the links that give keys: the tables of an exchange in its database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.config.settings import Settings
from pipeline.conflicts.rules import Side
from pipeline.database.state.migrate import require_latest
from pipeline.errors import ConfigurationInvalid
from pipeline.mapping.route import Route
from pipeline.mapping.table import LinkedKey
from pipeline.pairing.route import ExchangeRoute

if TYPE_CHECKING:
    from sqlalchemy import Engine


def schema_of_links(settings: Settings, route: Route) -> str | None:
    """The schema of the exchange that links this route's roots; None where it needs none.

    Raises ConfigurationInvalid where no exchange is configured that pairs those rows.
    """
    if not route.followed:
        return None
    exchanges = [one for one in settings.routes.configured if isinstance(one, ExchangeRoute)]
    if not exchanges:
        listed = [one for one in settings.routes.listed if isinstance(one, ExchangeRoute)]
        sections = " or ".join(f"[routes.{one.name}]" for one in listed)
        raise ConfigurationInvalid(
            f"routes.{route.name}: its rows have the keys of rows that an exchange linked;"
            f" configure {sections}, too."
        )
    (exchange,) = exchanges
    side = Side(route.source_system)
    paired = {
        (one.name, one.side(side).table.name, one.side(side.other).table.name)
        for one in exchange.entities
    }
    for mapping in route.mappings:
        key = mapping.key
        if isinstance(key, LinkedKey) and (
            (key.entity, mapping.source, key.table.name) not in paired
        ):
            raise ConfigurationInvalid(
                f"routes.{route.name}: routes.{exchange.name} pairs no rows of"
                f" {mapping.source} and {key.table.name} as {key.entity}."
            )
    return settings.routes.section(exchange).sync_schema


def require_links(engine: Engine, schema: str | None) -> None:
    """Raises SyncSchemaOutdated where the route's database does not hold the exchange's tables."""
    if schema is not None:
        require_latest(engine, schema, "dps")
