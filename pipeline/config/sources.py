"""The tables of the settings file about the captured databases."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.config.section import DatabaseUrl, Section


class Source(Section):
    """A captured database: where it is, and the connector that reads it."""

    may_be_empty = frozenset({"signal_table", "heartbeat_table"})

    database: DatabaseUrl
    db_schema: str | None = Field(
        None,
        alias="schema",
        description="Schema of its tables. Default: dbo on SQL Server, public on PostgreSQL.",
    )
    heartbeat_seconds: float = Field(
        3.0,
        gt=0,
        description=(
            "Time between heartbeats of its connector, in seconds. After three of them without "
            "one, and 6 seconds at least, the source is called silent."
        ),
    )
    connect_host: str | None = Field(
        None,
        description="Host of the database as Connect sees it, if it differs from `database`.",
    )
    connect_port: int | None = Field(None, description="Port likewise.")
    signal_table: str = Field(
        "ajera_cdc.signal",
        pattern=r"^$|^[A-Za-z_]\w*\.[A-Za-z_]\w*$",
        description=(
            "Table of our own in the database, as schema.table, through which the connector is "
            "asked for a backfill. Empty: none, and no backfill."
        ),
    )
    heartbeat_table: str = Field(
        "ajera_cdc.heartbeat",
        pattern=r"^$|^[A-Za-z_]\w*\.[A-Za-z_]\w*$",
        description=(
            "Table of our own in the database, as schema.table, with one row that the connector "
            "writes with each heartbeat and reads back from the log: so that a log that is not "
            "read to its end is told within seconds. Empty: none, and a heartbeat says only that "
            "the connector is connected."
        ),
    )


class AjeraSource(Source):
    """Ajera."""

    database: DatabaseUrl = Field(
        description="SQLAlchemy URL of the Ajera database: mssql+pyodbc://... in production,"
        " postgresql+psycopg://... for the sample."
    )
    edition: Literal["ajera", "ajeraCore", "ajeraCore + add-ons"] = Field(
        "ajera",
        description=(
            "Edition of Ajera. Deltek offers the PIM integration in full Ajera only; the others "
            "are refused."
        ),
    )
    version: str | None = Field(
        None,
        description="Version of Ajera, as Help > About shows it: below 8.09 DPS flows to Ajera"
        " only, from 8.09 both ways, and accounting goes to DPS. Needed with [routes.dps].",
    )
    sync_schema: str = Field(
        "ajera_cdc",
        description=(
            "Schema of the one table of our own in the Ajera database (with [routes.dps] only)."
        ),
    )
    topic_prefix: str = Field("ajera", description="Prefix of its topics: <prefix>.<Table>.")
    connector_name: str = Field("ajera", description="Name of its connector in Connect.")
    slot_name: str = Field(
        "ajera_cdc",
        description="PostgreSQL: name of the replication slot and publication.",
    )
    connect_password: str = Field(
        "${env:AJERA_CDC_SOURCE_PASSWORD}",
        description=(
            "Where Connect finds the password: an expression of one of its config providers."
        ),
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
        description=(
            "Where Connect finds the password: an expression of one of its config providers."
        ),
    )


class Sources(Section):
    """The captured databases."""

    ajera: AjeraSource
    dps: DpsSource | None = None
