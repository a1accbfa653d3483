"""The tables of the settings file about systems: the captured databases, and the routes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipeline.config.section import DatabaseUrl, Section


class Source(Section):
    """A captured database: where it is, and the connector that reads it."""

    database: DatabaseUrl
    db_schema: str | None = Field(
        None,
        alias="schema",
        description="Schema of its tables. Default: dbo on SQL Server, public on PostgreSQL.",
    )
    heartbeat_seconds: float = Field(
        5.0,
        gt=0,
        description="Time between heartbeats of its connector, in seconds.",
    )
    connect_host: str | None = Field(
        None,
        description="Host of the database as Connect sees it, if it differs from `database`.",
    )
    connect_port: int | None = Field(None, description="Port likewise.")


class AjeraSource(Source):
    """Ajera."""

    database: DatabaseUrl = Field(
        description="SQLAlchemy URL of the Ajera database: mssql+pyodbc://... in production,"
        " postgresql+psycopg://... for the sample."
    )
    edition: Literal["ajera", "ajeraCore", "ajeraCore + add-ons"] = Field(
        "ajera",
        description="Edition of Ajera. Deltek offers the PIM integration in full Ajera only; the others are refused.",
    )
    version: str | None = Field(
        None,
        description="Version of Ajera, as Help > About shows it: below 8.09 DPS flows to Ajera only,"
        " from 8.09 both ways. Needed with [routes.dps].",
    )
    sync_schema: str = Field(
        "ajera_cdc",
        description="Schema of the one table of our own in the Ajera database (with [routes.dps] only).",
    )
    topic_prefix: str = Field("ajera", description="Prefix of its topics: <prefix>.<Table>.")
    connector_name: str = Field("ajera", description="Name of its connector in Connect.")
    slot_name: str = Field(
        "ajera_cdc",
        description="PostgreSQL: name of the replication slot and publication.",
    )
    connect_password: str = Field(
        "${env:AJERA_CDC_SOURCE_PASSWORD}",
        description="Where Connect finds the password: an expression of one of its config providers.",
    )


class DpsSource(Source):
    """DPS or Vantagepoint."""

    database: DatabaseUrl = Field(
        description="SQLAlchemy URL of the DPS database, as for sources.ajera.database."
    )
    topic_prefix: str = Field("dps", description="Prefix of its topics: <prefix>.<Table>.")
    connector_name: str = Field("dps", description="Name of its connector in Connect.")
    slot_name: str = Field(
        "ajera_cdc_dps",
        description="PostgreSQL: name of the replication slot and publication.",
    )
    connect_password: str = Field(
        "${env:AJERA_CDC_DPS_PASSWORD}",
        description="Where Connect finds the password: an expression of one of its config providers.",
    )


class Sources(Section):
    """The captured databases."""

    ajera: AjeraSource
    dps: DpsSource | None = None


class PimRoute(Section):
    """The route from Ajera to PIM."""

    database: DatabaseUrl = Field(
        description="SQLAlchemy URL of the PIM database, as for sources.ajera.database."
    )
    db_schema: str | None = Field(
        None,
        alias="schema",
        description="Schema of PIM's tables. Default: dbo on SQL Server, public on PostgreSQL.",
    )
    sync_schema: str = Field("sync", description="Schema of our own tables in the PIM database.")
    group: str = Field("ajera-cdc.ajera-to-pim", description="Consumer group of the route.")
    dead_letter_topic: str = Field(
        "ajera-cdc.ajera-to-pim.dead",
        description="Topic of messages that cannot be processed.",
    )
    projects: bool = Field(default=True, description="Sync projects.")
    clients: bool = Field(default=True, description="Sync clients.")
    contacts: bool = Field(default=True, description="Sync contacts.")
    employees: bool = Field(default=True, description="Sync employees.")
    vendors: bool = Field(default=True, description="Sync vendors.")

    @model_validator(mode="after")
    def _something_is_on(self) -> PimRoute:
        if not self.entities:
            raise ValueError(
                "every entity is switched off; switch one of projects, clients, ... on"
            )
        return self

    @property
    def entities(self) -> frozenset[str]:
        """The entities that are switched on."""
        names = ("projects", "clients", "contacts", "employees", "vendors")
        return frozenset(name for name in names if getattr(self, name))


class DpsRoute(Section):
    """The two-way exchange between Ajera and DPS/Vantagepoint."""

    sync_schema: str = Field("sync", description="Schema of our own tables in the DPS database.")
    group: str = Field("ajera-cdc.ajera-dps", description="Consumer group of the route.")
    dead_letter_topic: str = Field(
        "ajera-cdc.ajera-dps.dead",
        description="Topic of messages that cannot be processed.",
    )
    contacts_per_firm: int = Field(
        5,
        ge=0,
        description="How many contacts of a firm are exchanged; 0 for any number (Vantagepoint 3.5 and later).",
    )
    contacts_per_project: int = Field(
        5,
        ge=0,
        description="How many contacts of a project are exchanged; 20 from Vantagepoint 3.5 on, 0 for any number.",
    )
    project_number: str = Field(
        "",
        description="Number of a project without a Project ID, such as AJ{key}; empty: it is parked.",
    )
    employee_number: str = Field(
        "",
        description="Number of an employee created in DPS, such as E{key}; empty: it is parked (auto-numbering off).",
    )
    initial_match_policy: Literal["park", "ajera", "dps"] = Field(
        "park",
        description="Who wins where two filled rows are linked for the first time and no rule says so: parked, or a side.",
    )
    employees: Literal["all", "active", "on_linked_projects", "none"] | None = Field(
        None,
        description="Which employees go to DPS: all, those whose status is active (needs status_coding),"
        " those with time on linked projects (read from AxTransaction), or none."
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
        description="Edits on both sides within this time count as simultaneous: the column's owner wins.",
    )
    recheck_window_seconds: float = Field(
        3600.0,
        ge=60,
        description="How long after a row was looked at its events are checked against the row itself, in seconds."
        " Must exceed the longest transaction: shorter, an edit can be lost where log positions are unknown.",
    )

    @model_validator(mode="after")
    def _can_tell_who_is_active(self) -> DpsRoute:
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


class Routes(Section):
    """The routes. One at least."""

    pim: PimRoute | None = None
    dps: DpsRoute | None = None

    @model_validator(mode="after")
    def _one_at_least(self) -> Routes:
        if self.pim is None and self.dps is None:
            raise ValueError("no route is configured; add [routes.pim], [routes.dps], or both")
        return self
