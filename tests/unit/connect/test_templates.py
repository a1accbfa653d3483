"""Connector templates: complete, filled exactly, without a secret,
and with the settings that our promises hang on.
"""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from pipeline.connect import templates
from pipeline.connect.templates import (
    Dialect,
    RegistryKind,
    fill,
    load,
    placeholders,
)
from pipeline.decoding.plan import POSTGRES, REQUIRED, SQLSERVER
from pipeline.errors import ConfigurationInvalid

DIALECTS: tuple[Dialect, ...] = ("postgres", "sqlserver")
REGISTRIES: tuple[RegistryKind, ...] = ("apicurio", "confluent")
BOTH = list(product(DIALECTS, REGISTRIES))
SECRET = "${env:AJERA_CDC_SOURCE_PASSWORD}"


def filled(dialect: Dialect, registry: RegistryKind = "apicurio", **values: str) -> dict[str, str]:
    """The template with a made-up value in each placeholder."""
    template = load("ajera", dialect, registry)
    made_up = {name: f"<{name}>" for name in placeholders(template)}
    return fill(
        template,
        made_up | {"topic_prefix": "ajera", "topic_prefix_pattern": "ajera"} | values,
    )


@pytest.mark.parametrize(("dialect", "registry"), BOTH)
def test_a_filled_template_holds_no_placeholder(dialect: Dialect, registry: RegistryKind) -> None:
    """Every one is found and filled."""
    config = filled(dialect, registry)
    assert config
    assert not [text for text in config.values() if "@{" in text]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_missing_and_a_surplus_value_are_both_named(
    dialect: Dialect,
) -> None:
    """All of them at once: a misspelt one is both."""
    template = load("ajera", dialect)
    values = dict.fromkeys(placeholders(template), "x") | {
        "epcoh": "1",
        "more": "2",
    }
    del values["epoch"], values["tables"]
    with pytest.raises(ConfigurationInvalid) as caught:
        fill(template, values)
    assert "missing: epoch, tables" in str(caught.value)
    assert "not in the template: epcoh, more" in str(caught.value)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_setting_that_becomes_empty_is_left_out(dialect: Dialect) -> None:
    """So it keeps the connector's own default."""
    assert "database.user" not in filled(dialect, source_user="")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_secret_stays_an_expression_that_the_worker_resolves(
    dialect: Dialect,
) -> None:
    """What is sent to Connect, stored in its topic and shown by its API holds no password."""
    assert filled(dialect, source_password=SECRET)["database.password"] == SECRET


@pytest.mark.parametrize(("dialect", "registry"), BOTH)
def test_a_template_states_no_secret(dialect: Dialect, registry: RegistryKind) -> None:
    """Whatever is called a password, a secret or a token is a placeholder."""
    for name, text in load("ajera", dialect, registry).items():
        if re.search(r"password|secret|token|credential|user\.info", name):
            assert re.fullmatch(r"@\{[a-z_]+\}", text), name


def test_other_at_signs_and_dollars_are_themselves() -> None:
    """A regular expression's `$1`, a class name's `$Value`, an address's `@`."""
    template = {
        "a": "x$1 ${env:X} @ @@ me@host @{name}$Value",
        "b": "@{name}@{name}",
    }
    assert placeholders(template) == {"name"}
    assert fill(template, {"name": "@{name} $0"}) == {
        "a": "x$1 ${env:X} @ @@ me@host @{name} $0$Value",
        "b": "@{name} $0@{name} $0",
    }


ESSENTIALS = {
    "tasks.max": "1",
    "snapshot.mode": "initial",
    "skipped.operations": "none",
    "tombstones.on.delete": "true",
    "schema.name.adjustment.mode": "avro",
    "field.name.adjustment.mode": "avro",
    "transforms": "signals,unwrap,route,epoch",
    "signal.enabled.channels": "source",
    "incremental.snapshot.watermarking.strategy": "insert_delete",
    "notification.enabled.channels": "sink",
    "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
    "transforms.unwrap.delete.tombstone.handling.mode": "rewrite-with-tombstone",
    "transforms.unwrap.add.fields.prefix": "__",
    "transforms.epoch.static.field": "__epoch",
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "key.converter.schemas.enable": "false",
    "topic.creation.default.cleanup.policy": "delete",
    "errors.tolerance": "none",
    "errors.log.include.messages": "false",
    "producer.override.acks": "all",
    "producer.override.enable.idempotence": "true",
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_both_sources_have_the_settings_that_order_and_loss_hang_on(
    dialect: Dialect,
) -> None:
    """Each was seen to matter (stack notes): taken out, events are lost, moved or kept from us."""
    config = filled(dialect, epoch="7")
    assert config | ESSENTIALS == config
    assert config["transforms.epoch.static.value"] == "7"


def test_sql_server_is_read_by_function_and_under_snapshot_isolation() -> None:
    """Else commit times are those of the transaction's begin, and Ajera's users are locked out."""
    config = filled("sqlserver")
    assert config["data.query.mode"] == "function"
    assert config["snapshot.isolation.mode"] == "snapshot"
    assert config["connector.class"] == "io.debezium.connector.sqlserver.SqlServerConnector"


def test_postgres_streams_through_its_own_slot_and_publication() -> None:
    """Made for the tables captured, and kept when the connector stops."""
    config = filled("postgres", slot_name="s", publication_name="p")
    assert (config["slot.name"], config["publication.name"]) == ("s", "p")
    assert config["plugin.name"] == "pgoutput"
    assert config["publication.autocreate.mode"] == "filtered"
    assert config["slot.drop.on.stop"] == "false"


@pytest.mark.parametrize(
    ("dialect", "position"),
    [("postgres", POSTGRES), ("sqlserver", SQLSERVER)],
)
def test_every_field_that_the_decoder_demands_is_added_by_the_connector(
    dialect: Dialect, position: tuple[str, ...]
) -> None:
    """What one asks for the other sends."""
    config = filled(dialect)
    added = {
        f"__{name.replace('.', '_')}" for name in config["transforms.unwrap.add.fields"].split(",")
    }
    demanded = {*REQUIRED, *position, "__ts_ms"}  # that one is read where it is
    assert demanded == added | {
        "__deleted",
        config["transforms.epoch.static.field"],
    }


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("topic", "routed"),
    [
        ("ajera.dbo.AxVec", "ajera.AxVec"),
        ("ajera.Ajera.dbo.AxVec", "ajera.AxVec"),
        ("__debezium-heartbeat.ajera", None),
        ("ajera", None),
        ("ajerax.dbo.AxVec", None),
    ],
)
def test_the_topics_of_both_sources_become_alike(
    dialect: Dialect, topic: str, routed: str | None
) -> None:
    """SQL Server's have a part more; the heartbeat's and others stay."""
    config = filled(dialect)
    match = re.fullmatch(config["transforms.route.regex"], topic)
    found = (
        None if match is None else config["transforms.route.replacement"].replace("$1", match[1])
    )
    assert found == routed


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_epoch_is_stamped_into_rows_and_heartbeats_alone(
    dialect: Dialect,
) -> None:
    """Not into schema changes or what other topics hold."""
    pattern = re.compile(filled(dialect)["predicates.row.pattern"])
    assert pattern.fullmatch("ajera.AxVec")
    assert pattern.fullmatch("__debezium-heartbeat.ajera")
    assert not pattern.fullmatch("ajera")


@pytest.mark.parametrize(
    ("registry", "word"),
    [("apicurio", "apicurio"), ("confluent", "confluent")],
)
def test_values_are_avro_of_the_registry_that_is_configured(
    registry: RegistryKind, word: str
) -> None:
    """The converter and its address; the key is JSON with either."""
    config = filled("postgres", registry, registry_url="http://registry")
    assert word in config["value.converter"]
    assert "http://registry" in config.values()


def test_an_unknown_template_is_a_fault_of_the_configuration() -> None:
    """Named by its file."""
    with pytest.raises(ConfigurationInvalid, match=r"nowhere-postgres\.json"):
        load("nowhere", "postgres")


@pytest.mark.parametrize(
    ("connector", "converter", "word"),
    [
        ("{", "{}", "not JSON"),
        ("[]", "{}", "one object of texts"),
        ('{"tasks.max": 1}', "{}", "one object of texts"),
        ('{"a": "1"}', '{"a": "2"}', "sets the converter's a"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused(
    connector: str,
    converter: str,
    word: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Broken, of another form, or at odds with the converter's."""
    (tmp_path / "ajera-postgres.json").write_text(connector)
    (tmp_path / "converter-apicurio.json").write_text(converter)
    monkeypatch.setattr(templates, "connectors_directory", lambda: tmp_path)
    with pytest.raises(ConfigurationInvalid, match=word):
        load("ajera", "postgres")
