"""The tables of the settings file about routes: a section for each route of the program's list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import Field, create_model, field_validator, model_validator

from pipeline.config.section import DatabaseUrl, Section
from pipeline.domain.routes import AnyRoute, Routes
from pipeline.errors import ConfigurationInvalid
from pipeline.mapping.route import Route


class ProjectionSection(Section):
    """A route that projects rows into a target database.
    The section of a route of the list has defaults, and a switch for each entity, too.
    """

    database: DatabaseUrl = Field(
        description="SQLAlchemy URL of the target's database, as for sources.ajera.database."
    )
    db_schema: str | None = Field(
        None,
        alias="schema",
        description=(
            "Schema of the target's tables. Default: dbo on SQL Server, public on PostgreSQL."
        ),
    )
    sync_schema: str = Field(
        "sync",
        description="Schema of our own tables in the target's database.",
    )
    group: str
    dead_letter_topic: str

    @model_validator(mode="after")
    def _something_is_on(self) -> ProjectionSection:
        if not self.entities:
            switches = ", ".join(self._switches())
            raise ValueError(f"every entity is switched off; switch one on: {switches}")
        return self

    @property
    def entities(self) -> frozenset[str]:
        """The entities that are switched on."""
        return frozenset(name for name, is_on in self if name in self._switches() and is_on)

    @classmethod
    def _switches(cls) -> list[str]:
        return [name for name in cls.model_fields if name not in ProjectionSection.model_fields]


class ExchangeSection(Section):
    """The two-way exchange between Ajera and DPS/Vantagepoint."""

    sync_schema: str = Field("sync", description="Schema of our own tables in the DPS database.")
    group: str
    dead_letter_topic: str
    contacts_per_firm: int = Field(
        5,
        ge=0,
        description=(
            "How many contacts of a firm are exchanged; 0 for any number (Vantagepoint 3.5 and "
            "later)."
        ),
    )
    contacts_per_project: int = Field(
        5,
        ge=0,
        description=(
            "How many contacts of a project are exchanged; 20 from Vantagepoint 3.5 on, 0 for any "
            "number."
        ),
    )
    project_number: str = Field(
        "",
        description=(
            "Number of a project without a Project ID, such as AJ{key}; empty: it is parked."
        ),
    )
    employee_number: str = Field(
        "",
        description=(
            "Number of an employee created in DPS, such as E{key}; empty: it is parked "
            "(auto-numbering off)."
        ),
    )
    initial_match_policy: Literal["park", "ajera", "dps"] = Field(
        "park",
        description=(
            "Who wins where two filled rows are linked for the first time and no rule says so: "
            "parked, or a side."
        ),
    )
    employees: Literal["all", "active", "on_linked_projects", "none"] | None = Field(
        None,
        description="Which employees go to DPS: all, those whose status is active"
        " (needs status_coding), those with time on linked projects (read from AxTransaction),"
        " or none."
        " From Ajera 8.09 on it must be stated before `link` and `run`.",
    )
    consultants: Literal["all", "active", "on_linked_projects", "none"] | None = Field(
        None, description="Which consultant vendors go to DPS; likewise."
    )
    status_coding: Literal["none", "one_is_active", "zero_is_active"] = Field(
        "none",
        description="Which value of vecStatus and cntStatus is active; `check` counts rows by each."
        " none: no status is written.",
    )
    clock_tolerance_seconds: float = Field(
        2.0,
        ge=0,
        description=(
            "Edits on both sides within this time count as simultaneous: the column's owner wins."
        ),
    )
    recheck_window_seconds: float = Field(
        3600.0,
        ge=60,
        description=(
            "How long after a row was read its events are checked against the row itself, in "
            "seconds. Must exceed the longest transaction: shorter, an edit can be lost where log "
            "positions are unknown."
        ),
    )

    @model_validator(mode="after")
    def _can_tell_who_is_active(self) -> ExchangeSection:
        asking = [name for name in ("employees", "consultants") if getattr(self, name) == "active"]
        if asking and self.status_coding == "none":
            raise ValueError(
                f'{" and ".join(asking)} = "active" needs status_coding, which says what active is'
            )
        return self

    @field_validator("project_number", "employee_number")
    @classmethod
    def _names_the_key(cls, value: str) -> str:
        if value and "{key}" not in value:
            raise ValueError("must contain {key}, or two rows could get one number")
        return value


RouteSection = ProjectionSection | ExchangeSection
S = TypeVar("S", bound=Section)


class RouteSettings(Section):
    """The routes. One at least. A program's own class has a field for each route of its list."""

    listed: ClassVar[Routes] = ()

    @model_validator(mode="after")
    def _one_at_least(self) -> RouteSettings:
        if not self.configured:
            sections = ", ".join(f"[routes.{one.name}]" for one in self.listed)
            raise ValueError(f"no route is configured; add one or more of {sections}")
        return self

    @property
    def configured(self) -> Routes:
        """The routes that have a section, in the program's order."""
        sections = dict(self)
        return tuple(one for one in self.listed if sections[one.name] is not None)

    def named(self, name: str) -> AnyRoute:
        """The route of the list that has this name. Raises ConfigurationInvalid."""
        for route in self.listed:
            if route.name == name:
                return route
        names = ", ".join(one.name for one in self.listed)
        raise ConfigurationInvalid(f"there is no route {name}; there are {names}.")

    def section(self, route: AnyRoute) -> RouteSection:
        """Raises ConfigurationInvalid where the route has none."""
        found = dict(self)[route.name]
        if not isinstance(found, RouteSection):
            raise ConfigurationInvalid(
                f"routes.{route.name}: there is no such section; {route.title} does not run. "
                f"{self._named}"
            )
        return found

    @property
    def _named(self) -> str:
        names = ", ".join(one.name for one in self.configured)
        return f"Configured are {names}." if names else "No route is configured."

    def projection(self, route: Route) -> ProjectionSection:
        """Raises as `section`."""
        found = self.section(route)
        if not isinstance(found, ProjectionSection):
            raise ConfigurationInvalid(f"routes.{route.name}: is no projection.")
        return found

    @property
    def exchange(self) -> ExchangeSection | None:
        """The section of the exchange, None where nothing is exchanged."""
        return next(
            (one for _, one in self if isinstance(one, ExchangeSection)),
            None,
        )


def sections_for(routes: Routes) -> type[RouteSettings]:
    """The sections of these routes. Raises ValueError where two of them have one name."""
    names = [one.name for one in routes]
    if len(set(names)) < len(names):
        raise ValueError(f"two routes have one name: {', '.join(names)}")
    fields: dict[str, Any] = {one.name: (_section_for(one) | None, None) for one in routes}
    made: type[RouteSettings] = create_model("Routes", __base__=RouteSettings, **fields)
    made.listed = routes
    return made


def with_captured_targets(raw: Any, routes: Routes) -> Any:
    """What a file says, where a route whose target is a captured system has the database and the
    schema that are said of it there, if it says none itself.
    """
    said = raw if isinstance(raw, dict) else {}
    sections, sources = said.get("routes"), said.get("sources")
    if not isinstance(sections, dict) or not isinstance(sources, dict):
        return raw
    found = dict(sections)
    for route in (one for one in routes if isinstance(one, Route)):
        own, of = sections.get(route.name), sources.get(route.into)
        if isinstance(own, dict) and isinstance(of, dict):
            known = {key: of[key] for key in ("database", "schema") if key in of}
            found[route.name] = known | {key: value for key, value in own.items() if value != ""}
    return {**said, "routes": found}


def _section_for(route: AnyRoute) -> type[RouteSection]:
    if isinstance(route, Route):
        return _with_defaults(
            ProjectionSection,
            route,
            f"ajera-cdc.{route.source_system}-to-{route.name}",
            route.entities,
        )
    return _with_defaults(ExchangeSection, route, f"ajera-cdc.{'-'.join(route.reads)}", ())


def _switch(entity: str) -> str:
    return f"Sync {entity.replace('_', ' ')}."


def _beside(system: str, route: str) -> dict[str, Any]:
    """What is said of a target that is a captured system: its database is known, and another route
    may have the schema `sync` there.
    """
    default = f"Default: that of sources.{system}."
    return {
        "database": (
            DatabaseUrl | None,
            Field(None, description=f"SQLAlchemy URL of the target's database. {default}"),
        ),
        "db_schema": (
            str | None,
            Field(None, alias="schema", description=f"Schema of the target's tables. {default}"),
        ),
        "sync_schema": (
            str,
            Field(
                f"sync_{route}",
                description="Schema of our own tables in the target's database: of this route"
                " alone.",
            ),
        ),
    }


def _with_defaults(kind: type[S], route: AnyRoute, group: str, entities: Sequence[str]) -> type[S]:
    taken = [name for name in entities if name in kind.model_fields]
    if taken:
        raise ValueError(f"{route.name}: an entity has a setting's name: {', '.join(taken)}")
    letters = "Topic of messages that cannot be processed."
    fields: dict[str, Any] = {
        "group": (
            str,
            Field(group, description="Consumer group of the route."),
        ),
        "dead_letter_topic": (
            str,
            Field(f"{group}.dead", description=letters),
        ),
        **{name: (bool, Field(default=True, description=_switch(name))) for name in entities},
        **(_beside(route.into, route.name) if isinstance(route, Route) and route.into else {}),
    }
    made: type[S] = create_model(route.name, __base__=kind, **fields)
    return made
