"""The settings: one TOML file, its values checked, secrets never printed."""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    create_model,
    model_validator,
)

from pipeline.config.files import faults, not_toml, read_toml
from pipeline.config.routes import (
    ExchangeSection,
    ProjectionSection,
    RouteSettings,
    sections_for,
    with_captured_targets,
)
from pipeline.config.section import Section, database_url
from pipeline.config.services import Connect, Crm, Kafka, Log, Registry, Run
from pipeline.config.sources import AjeraSource, DpsSource, Sources
from pipeline.config.url import parsed
from pipeline.domain.profile import name_faults
from pipeline.domain.routes import Routes
from pipeline.errors import ConfigurationInvalid, ProfileInvalid
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site

ENVIRONMENT = "AJERA_CDC_"
DEFAULT_FILE = Path("ajera-cdc.toml")
# What a database URL says in its query that is no secret; the rest (odbc_connect, password,
# ...) is not shown.
PLAIN_QUERY: Final = frozenset(
    {
        "driver",
        "encrypt",
        "trustservercertificate",
        "sslmode",
        "application_name",
    }
)


class Settings(Section):
    """The whole file."""

    profile: Path | None = Field(
        None,
        description=(
            "Site profile (TOML): other table and column names, other assumptions. Relative to "
            "this file. Also: AJERA_CDC_PROFILE."
        ),
    )
    sources: Sources
    routes: RouteSettings
    crm: Crm = Crm.model_construct()
    kafka: Kafka = Kafka.model_construct()
    registry: Registry = Registry.model_construct()
    connect: Connect = Connect.model_construct()
    run: Run = Run.model_construct()
    log: Log = Log.model_construct()

    @model_validator(mode="before")
    @classmethod
    def _captured_targets_are_known(cls, raw: Any) -> Any:
        """A route into a captured system has its database and its schema."""
        sections: Any = cls.model_fields["routes"].annotation
        return with_captured_targets(raw, sections.listed)

    @model_validator(mode="after")
    def _has_what_its_routes_read(self) -> Settings:
        for route in self.routes.configured:
            for system in route.reads:
                if dict(self.sources)[system] is None:
                    raise ValueError(
                        f"sources.{system}: [routes.{route.name}] reads it; say where it is"
                    )
            if isinstance(route, Route):
                self._has_what_it_stands_on(route)
        if self.routes.exchange is not None and self.sources.ajera.version is None:
            raise ValueError(
                "sources.ajera.version: [routes.dps] needs it, since below 8.09 DPS flows to "
                "Ajera only"
            )
        return self

    def _has_what_it_stands_on(self, route: Route) -> None:
        if route.into and dict(self.sources)[route.into] is None:
            raise ValueError(
                f"sources.{route.into}: [routes.{route.name}] writes there; say where it is"
            )
        if route.followed and self.routes.exchange is None:
            listed = (one.name for one in self.routes.listed if not isinstance(one, Route))
            sections = " or ".join(f"[routes.{name}]" for name in listed)
            raise ValueError(
                f"routes.{route.name}: its rows have the keys of rows that an exchange linked; "
                f"configure {sections}, too"
            )

    @model_validator(mode="after")
    def _routes_share_nothing(self) -> Settings:
        """In one group, or with one state, each would take the other's offsets for its own."""
        owners: dict[tuple[str, ...], str] = {}
        for route in self.routes.configured:
            section = self.routes.section(route)
            of = section if isinstance(section, ProjectionSection) else self.dps
            url = database_url(of.database, f"routes.{route.name}.database")
            place = (url.host or "", str(url.port), url.database or "", str(url.query))
            for what, *value in (
                ("group", section.group),
                ("dead_letter_topic", section.dead_letter_topic),
                ("sync_schema", *place, section.sync_schema),
            ):
                other = owners.setdefault((what, *value), route.name)
                if other != route.name:
                    raise ValueError(
                        f"routes.{route.name}.{what}: [routes.{other}] has the same; "
                        "give each route its own"
                    )
        return self

    @property
    def ajera(self) -> AjeraSource:
        return self.sources.ajera

    @property
    def dps(self) -> DpsSource:
        """Raises ConfigurationInvalid if DPS is not captured."""
        if self.sources.dps is None:
            raise ConfigurationInvalid(
                "sources.dps: there is no such section; DPS is not captured."
            )
        return self.sources.dps

    def source(self, system: str) -> AjeraSource | DpsSource:
        """The section of a captured system. Raises as `dps`."""
        return self.ajera if system == "ajera" else self.dps

    @property
    def exchange(self) -> ExchangeSection:
        """Raises ConfigurationInvalid if nothing is exchanged with DPS."""
        if self.routes.exchange is None:
            raise ConfigurationInvalid(
                "routes.dps: there is no such section; nothing is exchanged with DPS."
            )
        return self.routes.exchange

    @cached_property
    def site(self) -> Site:
        """The site profile, with the employee phone map of CRM when its sync is on.
        Raises ProfileInvalid.
        """
        raw: dict[str, Any] = {}
        if self.profile is not None:
            try:
                raw = read_toml(self.profile)
            except OSError as error:
                raise ProfileInvalid(
                    f"{self.profile.name} cannot be read: {error.strerror}."
                ) from error
            except ValueError as error:
                raise ProfileInvalid(f"{self.profile.name} {not_toml(error)}.") from None
        try:
            site = Site.model_validate(raw)
        except ValidationError as error:
            raise ProfileInvalid("\n".join(faults(error, Site))) from None
        unknown = list(name_faults(self.routes.listed, site))
        if unknown:
            raise ProfileInvalid("\n".join(unknown))
        return self._with_phones_of_crm(site)

    def _with_phones_of_crm(self, site: Site) -> Site:
        if not self.crm.enabled:
            return site
        phones = {
            "employee_mobile": self.crm.employee_mobile,
            "employee_direct_dial": self.crm.employee_direct_dial,
        }
        return site.model_copy(update={"assumptions": site.assumptions.model_copy(update=phones)})

    def shown(self) -> dict[str, Any]:
        """Everything, with secrets as ***."""
        return {name: _shown(value) for name, value in self.model_dump(by_alias=True).items()}


@cache
def settings_for(routes: Routes) -> type[Settings]:
    """The model of the file of a program with these routes."""
    sections = sections_for(routes)
    return create_model("Settings", __base__=Settings, routes=(sections, ...))


def _shown(value: Any) -> Any:
    match value:
        case dict():
            return {name: _shown(inner) for name, inner in value.items()}
        case SecretStr():
            return _shown_url(value.get_secret_value())
        case Path():
            return str(value)
        case _:
            return value


def _shown_url(text: str) -> str:
    try:
        url = parsed(text)
    except ValueError:
        return "***"
    return url.shown(PLAIN_QUERY) if url.backend in ("postgresql", "mssql") else "***"
