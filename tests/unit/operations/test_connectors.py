"""What is sent to Kafka Connect, from settings."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config import Settings
from pipeline.errors import ConfigurationInvalid
from pipeline.mapping.site import Site, TableNames
from pipeline.operations.connectors import configuration, topics_of
from pipeline.operations.sources import source_of

SQL_SERVER = "mssql+pyodbc://cdc:p%40ss@db.example:1444/Ajera?driver=ODBC+Driver+18+for+SQL+Server&Encrypt=yes&TrustServerCertificate=yes"
POSTGRES = "postgresql+psycopg://cdc:secret@db.example/ajera"


def settings(database: str, **sections: Any) -> Settings:
    return Settings.model_validate({"ajera": {"database": database}, "pim": {"database": POSTGRES}, **sections})


def test_sql_servers_connector_gets_its_address_and_a_history_topic_and_no_password() -> None:
    """Encryption as the address says; the tables of dbo unless another schema is set."""
    found = settings(SQL_SERVER)
    config = configuration(found, Site(), epoch=4)
    assert source_of(found).dialect == "sqlserver"
    assert (config["database.hostname"], config["database.port"]) == ("db.example", "1444")
    assert (config["database.names"], config["database.user"]) == ("Ajera", "cdc")
    assert config["database.password"] == "${env:AJERA_CDC_SOURCE_PASSWORD}"
    assert (config["database.encrypt"], config["driver.trustServerCertificate"]) == ("true", "true")
    assert config["table.include.list"].startswith(r"dbo\.AxVec,dbo\.AxContact")
    assert config["transforms.epoch.static.value"] == "4"
    assert "p@ss" not in str(config)
    history = config["schema.history.internal.kafka.topic"]
    assert {topic.name: topic.retention_ms for topic in topics_of(found, Site())}[history] == -1


def test_a_site_with_other_names_and_another_prefix_captures_its_own_tables_into_its_own_topics() -> None:
    """Names are escaped where they stand in patterns."""
    found = settings(POSTGRES, kafka={"topic_prefix": "firm.one"}, ajera={"database": POSTGRES, "schema": "books"})
    site = Site(source={"AxVec": TableNames(name="Ax Vec")})
    config = configuration(found, site, epoch=1)
    assert config["table.include.list"].startswith(r"books\.Ax\ Vec,")
    assert config["transforms.route.regex"].startswith(r"firm\.one\.")
    names = {topic.name for topic in topics_of(found, site)}
    assert {"firm.one.Ax_Vec", "__debezium-heartbeat.firm.one"} <= names


def test_host_and_port_as_connect_sees_them_may_differ() -> None:
    """Containers have names of their own."""
    config = configuration(
        settings(POSTGRES, connect={"source_host": "postgres", "source_port": 5555}), Site(), epoch=1
    )
    assert (config["database.hostname"], config["database.port"]) == ("postgres", "5555")


def test_an_address_that_hides_host_and_user_in_odbc_connect_is_refused() -> None:
    """The connector would be sent to localhost."""
    hidden = "mssql+pyodbc:///?odbc_connect=DRIVER%3DX%3BSERVER%3Ddb%3BPWD%3Dsecret"
    with pytest.raises(ConfigurationInvalid, match="odbc_connect") as refused:
        configuration(settings(hidden), Site(), epoch=1)
    assert "secret" not in str(refused.value)
