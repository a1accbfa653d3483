"""The tables of the settings file about services, and about the consumer itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from pipeline.config.section import Address, Brokers, ClientSettings, Section


class Crm(Section):
    """The CRM sync beside PIM's."""

    enabled: bool = Field(
        default=False,
        description="Is Ajera's CRM sync on. Then PIM's employee phone map follows CRM's.",
    )
    employee_mobile: Literal["vecPhone1", "vecPhone2"] = Field(
        "vecPhone2",
        description="Ajera column that CRM's map takes an employee's mobile number from.",
    )
    employee_direct_dial: Literal["vecPhone1", "vecPhone2"] = Field(
        "vecPhone1",
        description="Ajera column that CRM's map takes an employee's direct dial from.",
    )


class Kafka(Section):
    """The broker."""

    bootstrap_servers: Brokers = Field(
        "127.0.0.1:9092",
        description="Broker addresses, host:port, comma-separated.",
    )
    group_protocol: Literal["classic", "consumer"] = Field(
        "classic",
        description=(
            "Group protocol: classic or consumer (KIP-848, brokers from 4.0). Change it with "
            "every consumer stopped."
        ),
    )
    partitions: int = Field(
        4,
        ge=1,
        description="Partitions of each source topic when it is created.",
    )
    replication_factor: int = Field(
        1,
        ge=1,
        description="Replicas of each topic when it is created; 3 in production.",
    )
    retention_hours: int = Field(
        168,
        ge=1,
        description="Retention of the source topics when they are created, in hours.",
    )
    client: ClientSettings = Field(
        default_factory=dict,
        description=(
            "Further librdkafka settings, such as security.protocol and sasl.password; in the "
            "environment an inline table."
        ),
    )


class Registry(Section):
    """The schema registry."""

    kind: Literal["apicurio", "confluent"] = Field(
        "apicurio",
        description="Which registry the connector's converter talks to.",
    )
    url: Address = Field(
        "http://127.0.0.1:8081/apis/ccompat/v7",
        description="Confluent-compatible address that the consumers ask.",
    )
    converter_url: Address | None = Field(
        None,
        description=(
            "Address that the connector's converter asks. Default: url, for Apicurio with "
            "/apis/registry/v2."
        ),
    )
    unknown_schema_timeout_seconds: float = Field(
        300.0,
        gt=0,
        description=(
            "How long the registry may not know a message's schema before its partition halts."
        ),
    )
    client: ClientSettings = Field(
        default_factory=dict,
        description=(
            "Further settings of the registry client, such as basic.auth.user.info and "
            "ssl.ca.location; in the environment an inline table."
        ),
    )


class Connect(Section):
    """Kafka Connect, which runs Debezium."""

    url: Address = Field(
        "http://127.0.0.1:8083",
        description="Address of Connect's REST API.",
    )
    timeout_seconds: float = Field(
        120.0,
        gt=0,
        description="How long a connector may take to run, in seconds.",
    )
    username: str | None = Field(None, description="User of the REST API, if it wants one.")
    password: SecretStr | None = Field(None, description="Password of that user.")
    watch: bool = Field(
        default=True,
        description=(
            "Does each consumer watch the connectors that it reads from, and restart a task that "
            "failed."
        ),
    )
    watch_interval_seconds: float = Field(
        3.0, gt=0, description="How often it asks Connect for their state, in seconds."
    )
    restart_initial_seconds: float = Field(
        10.0,
        gt=0,
        description="Pause before the first restart, in seconds; it doubles, with jitter.",
    )
    restart_max_seconds: float = Field(
        300.0,
        gt=0,
        description=(
            "Longest pause between restarts, in seconds, and the pause where no restart helps. "
            "They never end."
        ),
    )


class Run(Section):
    """The consumer."""

    members: int = Field(
        1,
        ge=1,
        le=16,
        description=(
            "Members of the group in one process, each with its own partitions and its own "
            "connection. With two, one works while the other's statement runs in the database."
        ),
    )
    batch_size: int = Field(2000, ge=1, le=10_000, description="Most messages a batch.")
    poll_timeout_seconds: float = Field(
        0.1,
        gt=0,
        description="How long a poll waits for a first message, in seconds.",
    )
    retry_initial_seconds: float = Field(
        0.2,
        gt=0,
        description="First pause before a retry, in seconds; it doubles, with jitter.",
    )
    retry_max_seconds: float = Field(
        30.0,
        gt=0,
        description="Longest pause between retries, in seconds. They never end.",
    )
    halted_retry_seconds: float = Field(
        60.0,
        gt=0,
        description=(
            "How often what is halted (a partition, a table of the target) is tried again by "
            "itself, in seconds; a partition sooner at first."
        ),
    )
    refused_retry_seconds: float = Field(
        900.0,
        ge=0,
        description=(
            "How long a running consumer tries again while a service refuses its password, its "
            "database, its host name or its encryption, in seconds; then it ends with that error. "
            "At its start, and in commands, the first refusal ends it."
        ),
    )
    parked_retry_seconds: float = Field(
        60.0,
        gt=0,
        description="How often a parked row is tried without a cause, in seconds.",
    )
    parked_limit: int = Field(
        10_000,
        ge=1,
        description=(
            "How many rows may wait before the consumer stops. Not applied during the first load."
        ),
    )
    parked_per_minute: int = Field(
        1000,
        ge=1,
        description=(
            "How many more rows may wait than a minute ago before the consumer is degraded, and "
            "logs it once. Not applied during the first load."
        ),
    )
    max_consecutive_dead_letters: int = Field(
        20,
        ge=1,
        description=(
            "How many messages of a partition may be dead-lettered in a row before it halts."
        ),
    )
    max_dead_letter_ratio: float = Field(
        0.2,
        gt=0,
        le=1,
        description=(
            "Which share of a partition's last messages may be dead-lettered before it halts."
        ),
    )
    dead_letter_window: int = Field(
        500, ge=10, description="How many last messages that share is of."
    )
    clock_tolerance_seconds: float = Field(
        300.0,
        gt=0,
        description=(
            "How far the source's clock may be set back before it is taken for another source."
        ),
    )
    delay_objective_seconds: float = Field(
        60.0,
        gt=0,
        description=(
            "How late changes may be before `status` warns, in seconds; what waits longer and is "
            "not moved on is stalled."
        ),
    )
    metrics_host: str = Field(
        "127.0.0.1",
        description="Address that metrics, health and readiness are served on.",
    )
    metrics_port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        description=(
            "Port likewise; 0 takes any free one. Default: 9464, or the next free one, for a "
            "further consumer on the host; the log and `status` show which."
        ),
    )


class Log(Section):
    """The log."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least level that is written."
    )
    format: Literal["auto", "json", "console"] = Field(
        "auto",
        description=(
            "json lines, readable console lines, or console on a terminal and json elsewhere."
        ),
    )
