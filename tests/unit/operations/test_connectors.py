"""What is sent to Kafka Connect, from settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.config.settings import Settings, settings_for
from pipeline.domain.routes import ROUTES
from pipeline.errors import ConfigurationInvalid, SnapshotNeeded
from pipeline.operations.connectors import configuration, refuse_unread, topics_of
from pipeline.wiring.source import source_of

SQL_SERVER = (
    "mssql+pyodbc://cdc:p%40ss@db.example:1444/Ajera"
    "?driver=ODBC+Driver+18+for+SQL+Server&Encrypt=yes&TrustServerCertificate=yes"
)
POSTGRES = "postgresql+psycopg://cdc:secret@db.example/ajera"


def settings(database: str, profile: Path | None = None, **ajera: Any) -> Settings:
    raw: dict[str, Any] = {} if profile is None else {"profile": profile}
    return settings_for(ROUTES).model_validate(
        {
            **raw,
            "sources": {"ajera": {"database": database, **ajera}},
            "routes": {"pim": {"database": POSTGRES}},
        }
    )


def test_sql_servers_connector_gets_its_address_and_a_history_topic_and_no_password() -> None:
    """Encryption as the address says; the tables of dbo unless another schema is set."""
    found = settings(SQL_SERVER)
    config = configuration(found, epoch=4)
    assert source_of(found, "ajera").dialect == "sqlserver"
    assert (config["database.hostname"], config["database.port"]) == (
        "db.example",
        "1444",
    )
    assert (config["database.names"], config["database.user"]) == (
        "Ajera",
        "cdc",
    )
    assert config["database.password"] == "${env:AJERA_CDC_SOURCE_PASSWORD}"
    assert (
        config["database.encrypt"],
        config["driver.trustServerCertificate"],
    ) == ("true", "true")
    assert config["table.include.list"].startswith(r"dbo\.AxVec,dbo\.AxContact")
    assert config["transforms.epoch.static.value"] == "4"
    assert "p@ss" not in str(config)
    history = config["schema.history.internal.kafka.topic"]
    assert {topic.name: topic.retention_ms for topic in topics_of(found)}[history] == -1


def test_a_site_with_other_names_and_another_prefix_captures_its_own_tables_into_its_own_topics(
    tmp_path: Path,
) -> None:
    """Names are escaped where they stand in patterns."""
    profile = tmp_path / "site.toml"
    profile.write_text('[source.AxVec]\nname = "Ax Vec"\n')
    found = settings(POSTGRES, profile, topic_prefix="firm.one", schema="books")
    config = configuration(found, epoch=1)
    assert config["table.include.list"].startswith(r"books\.Ax\ Vec,")
    assert config["transforms.route.regex"].startswith(r"firm\.one\.")
    names = {topic.name for topic in topics_of(found)}
    assert {"firm.one.Ax_Vec", "__debezium-heartbeat.firm.one"} <= names


def test_host_and_port_as_connect_sees_them_may_differ() -> None:
    """Containers have names of their own."""
    found = settings(POSTGRES, connect_host="postgres", connect_port=5555)
    config = configuration(found, epoch=1)
    assert (config["database.hostname"], config["database.port"]) == (
        "postgres",
        "5555",
    )


def test_an_address_that_hides_host_and_user_in_odbc_connect_is_refused() -> None:
    """The connector would be sent to localhost."""
    hidden = "mssql+pyodbc:///?odbc_connect=DRIVER%3DX%3BSERVER%3Ddb%3BPWD%3Dsecret"
    with pytest.raises(ConfigurationInvalid, match="odbc_connect") as refused:
        configuration(settings(hidden), epoch=1)
    assert "secret" not in str(refused.value)


def test_a_table_that_joins_a_connector_without_a_snapshot_is_refused_by_name() -> None:
    """One that leaves, or stays, is not; nor is any where nothing was captured yet."""
    config = configuration(settings(POSTGRES), epoch=1)
    tables = config["table.include.list"].split(",")
    refuse_unread(config, tables)
    refuse_unread(config, [*tables, r"public\.Gone"])
    refuse_unread(config, ())
    with pytest.raises(SnapshotNeeded, match=r"capture public\.AxResource until"):
        refuse_unread(config, tables[:-1])
