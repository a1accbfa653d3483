"""Messages to events: what the connector sends, form by form."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from pipeline.decoding.naming import HEARTBEAT_PREFIX
from pipeline.decoding.runs import UNAVAILABLE
from pipeline.decoding.wire import join
from pipeline.errors import (
    MessageMalformed,
    MetadataMissing,
    Remedy,
    SourceTruncated,
)
from pipeline.mapping.site import Site
from pipeline.mapping.source import SourceTable
from pipeline.model.event import (
    Heartbeat,
    Message,
    Operation,
    Tombstone,
    Undecodable,
)
from pipeline.model.position import (
    TopicOffset,
    postgres_position,
    sqlserver_position,
)
from tests.unit.decoding.connector import (
    AX_CONTACT,
    AX_PROJECT,
    AX_VEC,
    COMMITTED_MS,
    READ,
    STREAMED,
    Connector,
    Dialect,
    encoded,
    flat,
    optional,
    writer_schema,
)

DIALECTS: tuple[Dialect, ...] = ("postgres", "sqlserver")


def of_table(
    table: SourceTable = AX_VEC,
    dialect: Dialect = "postgres",
    site: Site | None = None,
) -> tuple[Connector, int]:
    """A connector with the table's schema, and its id."""
    connector = Connector(site or Site())
    return connector, connector.register(writer_schema(table, connector.site, dialect))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("operation", ["c", "u"])
def test_a_change_becomes_an_event_with_its_row_position_and_place(
    operation: str, dialect: Dialect
) -> None:
    """Every part of an event comes from the message, and from nowhere else."""
    connector, schema = of_table(dialect=dialect)
    event = connector.event(
        connector.message(
            AX_VEC,
            schema,
            flat(
                AX_VEC,
                101,
                operation,
                dialect,
                vecDescription="Ärzte 山",
                vecFax="",
            ),
        )
    )
    expected = {
        "postgres": postgres_position(3, str(STREAMED["postgres"]["__source_sequence"])),
        "sqlserver": sqlserver_position(3, "00000025:00000d98:00a2", "00000025:00000d98:0002", 1),
    }
    assert (event.table, event.key, event.operation) == (
        "AxVec",
        "101",
        Operation(operation),
    )
    assert event.row["vecDescription"] == "Ärzte 山"
    assert event.row["vecFax"] == ""
    assert event.position == expected[dialect]
    assert event.place == TopicOffset(5, 2, 7)
    assert event.committed_at == datetime.fromtimestamp(COMMITTED_MS / 1000, UTC)
    assert event.epoch == 3


@pytest.mark.parametrize("table", READ, ids=lambda table: table.name)
def test_an_event_holds_every_contract_column_of_its_table(
    table: SourceTable,
) -> None:
    """Null is a value: a column that was sent as null is in the row."""
    connector, schema = of_table(table)
    event = connector.event(connector.message(table, schema, flat(table, 9)))
    assert dict(event.row) == {column.name: None for column in table.columns} | {table.key[0]: 9}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_delete_has_a_key_and_a_position_but_no_row(
    dialect: Dialect,
) -> None:
    """The columns of a delete are placeholders, and are not to be trusted."""
    connector, schema = of_table(dialect=dialect)
    event = connector.event(
        connector.message(AX_VEC, schema, flat(AX_VEC, 5, "d", dialect, vecDescription=""))
    )
    assert event.operation is Operation.DELETE
    assert event.key == "5"
    assert event.row == {}
    assert event.position


def test_a_tombstone_is_never_a_delete() -> None:
    """It follows the delete's own event, with the same key and no value."""
    connector, _ = of_table()
    assert connector.decode(connector.raw(AX_VEC, None, b'{"vecKey":5}')) == Tombstone()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_row_read_by_a_snapshot_has_no_position(dialect: Dialect) -> None:
    """Whatever its source fields say: it is guarded by its place alone."""
    connector, schema = of_table(dialect=dialect)
    values = flat(AX_VEC, 5, "r", dialect, vecCity="Oslo")
    event = connector.event(connector.message(AX_VEC, schema, values))
    assert event.is_snapshot
    assert event.position == ""
    assert event.row["vecCity"] == "Oslo"


def test_a_row_read_by_a_snapshot_needs_no_sequence() -> None:
    """An incremental snapshot reads rows outside the log."""
    connector, schema = of_table()
    values = flat(
        AX_VEC,
        5,
        "r",
        __source_sequence=None,
        __source_snapshot="incremental",
    )
    assert connector.event(connector.message(AX_VEC, schema, values)).is_snapshot


@pytest.mark.parametrize(
    ("operation", "marker", "ended"),
    [
        ("r", "first", False),
        ("r", "true", False),
        ("r", "first_in_data_collection", False),
        ("r", "last_in_data_collection", False),
        ("r", "last", True),
        ("r", "incremental", False),
        ("u", "false", True),
        ("u", None, True),
        ("u", "incremental", True),
        ("c", "true", False),
    ],
)
def test_only_the_last_row_or_a_streamed_change_shows_that_the_snapshot_ended(
    operation: str, marker: str | None, ended: bool
) -> None:
    """A table counts as loaded on this evidence, so it must not come early."""
    connector, schema = of_table()
    values = flat(AX_VEC, 5, operation, __source_snapshot=marker)
    assert connector.event(connector.message(AX_VEC, schema, values)).snapshot_ended is ended


def test_a_value_that_the_connector_could_not_read_is_absent() -> None:
    """A long text that an update did not touch is neither null nor a value."""
    connector, schema = of_table(AX_PROJECT)
    values = flat(
        AX_PROJECT,
        5,
        prjNotes=UNAVAILABLE,
        prjDescription="Bridge",
        prjID=None,
    )
    row = connector.event(connector.message(AX_PROJECT, schema, values)).row
    assert "prjNotes" not in row
    assert row["prjDescription"] == "Bridge"
    assert row["prjID"] is None


@pytest.mark.parametrize(("sent", "meant"), [(0, False), (1, True), (None, None)])
def test_a_flag_that_arrives_as_an_integer_is_a_flag(sent: int | None, meant: bool | None) -> None:
    """SQL Server's smallint and tinyint flags; 0 is a value, and null stays null."""
    connector, schema = of_table(dialect="sqlserver")
    values = flat(AX_VEC, 5, "u", "sqlserver", vecIsClient=sent)
    assert connector.event(connector.message(AX_VEC, schema, values)).row["vecIsClient"] is meant


def test_a_flag_of_another_number_is_set_aside_without_its_value() -> None:
    """It is neither yes nor no, and the text names the column alone."""
    connector, schema = of_table(dialect="sqlserver")
    error = connector.error(
        connector.message(
            AX_VEC,
            schema,
            flat(AX_VEC, 5, "u", "sqlserver", vecIsClient=4711),
        )
    )
    assert isinstance(error, MessageMalformed)
    assert "vecIsClient" in str(error)
    assert "4711" not in str(error)


def test_an_error_names_the_place_of_its_message() -> None:
    """Topic, partition and offset are what a person looks it up by."""
    connector, schema = of_table()
    error = connector.error(connector.message(AX_VEC, schema, flat(AX_VEC, 5, __op="x"), offset=42))
    assert str(error).startswith("ajera.AxVec partition 2 offset 42: ")


@pytest.mark.parametrize(
    "key",
    [
        None,
        b"\x00",
        b"not JSON",
        b"5",
        b"[5]",
        b"{}",
        b'{"VECKEY":5}',
        b'{"vecKey":5,"more":1}',
        b'{"vecKey":"5"}',
        b'{"vecKey":5.0}',
        b'{"vecKey":true}',
        b'{"vecKey":null}',
        b'{"vecKey":6}',
        b'{"vecKey":9223372036854775808}',
        b'{"schema":{},"payload":{"vecKey":5}}',
    ],
)
def test_a_key_that_does_not_name_the_row_halts(key: bytes | None) -> None:
    """The key decides the partition and the ledger row:
    with another one the order of events is lost.
    """
    connector, schema = of_table()
    error = connector.error(connector.message(AX_VEC, schema, flat(AX_VEC, 5), key=key))
    assert isinstance(error, MetadataMissing)
    assert error.remedy is Remedy.HALT


@pytest.mark.parametrize("key", [1 << 63, -(1 << 63) - 1])
def test_a_key_that_no_ledger_has_room_for_halts(key: int) -> None:
    """Also on a delete, whose columns are not looked at."""
    connector, schema = of_table()
    message = connector.message(AX_VEC, schema, flat(AX_VEC, 5, "d"), key=b'{"vecKey":%d}' % key)
    assert isinstance(connector.error(message), MetadataMissing)


@pytest.mark.parametrize(
    "values",
    [
        {"__op": None},
        {"__op": "x"},
        {"__op": "m"},
        {"__deleted": None},
        {"__deleted": "true"},
        {"__epoch": None},
        {"__epoch": "-1"},
        {"__epoch": "1 "},
        {"__epoch": "99999999999"},
        {"__epoch": "4294967296"},
        {"__source_ts_ms": None},
        {"__source_snapshot": "perhaps"},
        {"__source_sequence": None},
        {"__source_sequence": ""},
        {"__source_sequence": "[]"},
        {"__source_sequence": '["1"]'},
        {"__source_sequence": '["1",null]'},
        {"__source_sequence": '["a","2"]'},
        {"__source_sequence": '["1","-2"]'},
        {"__source_sequence": '["1","99999999999999999999"]'},
    ],
    ids=str,
)
def test_what_a_postgres_connector_of_ours_never_says_halts(
    values: dict[str, Any],
) -> None:
    """Going on without it would lose the order of events."""
    connector, schema = of_table()
    error = connector.error(connector.message(AX_VEC, schema, flat(AX_VEC, 5, **values)))
    assert isinstance(error, MetadataMissing)
    assert next(iter(values)) in str(error)


@pytest.mark.parametrize(
    "values",
    [
        {"__source_commit_lsn": None},
        {"__source_commit_lsn": "0x25"},
        {"__source_commit_lsn": "00000025:00000d98:00a2f"},
        {"__source_change_lsn": None},
        {"__source_change_lsn": "g:0:0"},
        {"__source_event_serial_no": None},
        {"__source_event_serial_no": -1},
    ],
    ids=str,
)
def test_what_a_sqlserver_connector_of_ours_never_says_halts(
    values: dict[str, Any],
) -> None:
    """Two changes of one transaction differ in their change lsn and serial number:
    all three must be there.
    """
    connector, schema = of_table(dialect="sqlserver")
    error = connector.error(
        connector.message(AX_VEC, schema, flat(AX_VEC, 5, "u", "sqlserver", **values))
    )
    assert isinstance(error, MetadataMissing)
    assert next(iter(values)) in str(error)


@pytest.mark.parametrize(
    "milliseconds",
    [1 << 62, -(1 << 62), 253_402_300_800_000, -62_135_596_800_001],
)
def test_a_commit_time_that_no_calendar_has_is_set_aside(
    milliseconds: int,
) -> None:
    """The first moments after the year 9999 and before the year 1 among them."""
    connector, schema = of_table()
    error = connector.error(
        connector.message(AX_VEC, schema, flat(AX_VEC, 5, __source_ts_ms=milliseconds))
    )
    assert isinstance(error, MessageMalformed)


@pytest.mark.parametrize(
    "name",
    ["__op", "__deleted", "__source_ts_ms", "__source_snapshot", "__epoch"],
)
def test_a_schema_without_the_connectors_own_fields_halts_naming_them(
    name: str,
) -> None:
    """Somebody else's connector, or an edited one: the schema tells it before any row is read."""
    connector = Connector()
    schema = connector.register(writer_schema(AX_VEC, without=(name,)))
    error = connector.error(connector.message(AX_VEC, schema, flat(AX_VEC, 5)))
    assert isinstance(error, MetadataMissing)
    assert name in str(error)
    assert f"schema id {schema}" in str(error)


def test_a_schema_without_any_position_halts_naming_what_lacks() -> None:
    """Neither PostgreSQL's sequence nor SQL Server's three numbers."""
    connector = Connector()
    schema = connector.register(writer_schema(AX_VEC, without=("__source_sequence",)))
    error = connector.error(connector.message(AX_VEC, schema, flat(AX_VEC, 5)))
    assert "__source_commit_lsn, __source_change_lsn, __source_event_serial_no" in str(error)


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "array", "items": "string"},
        {"type": "map", "values": "string"},
    ],
)
@pytest.mark.parametrize(
    "name",
    ["__op", "__deleted", "__source_ts_ms", "__source_snapshot", "__epoch"],
)
def test_a_field_of_the_connector_that_holds_a_list_or_a_map_halts(
    name: str, odd: dict[str, Any]
) -> None:
    """No type that a schema can give them makes an exception escape."""
    connector = Connector()
    schema = connector.register(writer_schema(AX_VEC, retyped={name: odd}))
    values = flat(AX_VEC, 5) | {name: [] if odd["type"] == "array" else {}}
    assert isinstance(
        connector.error(connector.message(AX_VEC, schema, values)),
        MetadataMissing,
    )


ENVELOPE = {
    "type": "record",
    "name": "Envelope",
    "namespace": "ajera.public.AxVec",
    "fields": [
        optional("before", "string"),
        optional("after", "string"),
        {"name": "source", "type": "string"},
        {"name": "op", "type": "string"},
    ],
}


def test_a_truncate_halts_its_table() -> None:
    """Flattening leaves it as it is: rows are gone without an event each."""
    connector = Connector()
    schema = connector.register(ENVELOPE)
    values = {"before": None, "after": None, "source": "s", "op": "t"}
    error = connector.error(connector.message(AX_VEC, schema, values, key=None))
    assert isinstance(error, SourceTruncated)
    assert error.remedy is Remedy.HALT


def test_a_flat_truncate_halts_its_table() -> None:
    """The same, should a connector flatten it."""
    connector, schema = of_table()
    assert isinstance(
        connector.error(connector.message(AX_VEC, schema, flat(AX_VEC, 5, __op="t"))),
        SourceTruncated,
    )


@pytest.mark.parametrize(
    ("metadata", "key", "epoch"),
    [
        ({"__op": "t"}, b"", 3),
        ({}, b"{}", 3),
        ({"__op": "t", "__epoch": "none"}, b"", 0),
    ],
)
def test_what_gives_no_event_shows_its_epoch_where_it_has_one(
    metadata: dict[str, Any], key: bytes, epoch: int
) -> None:
    """So a newer snapshot makes it skippable: nothing else ends a truncate, or a key of nobody."""
    connector, schema = of_table()
    message = connector.message(AX_VEC, schema, flat(AX_VEC, 5, **metadata), key=key)
    found = connector.decode(message)
    assert isinstance(found, Undecodable)
    assert found.epoch == epoch


def test_an_event_that_was_not_flattened_halts() -> None:
    """The connector was not applied by us."""
    connector = Connector()
    schema = connector.register(ENVELOPE)
    values = {"before": None, "after": "CANARY", "source": "s", "op": "c"}
    error = connector.error(connector.message(AX_VEC, schema, values, key=None))
    assert isinstance(error, MetadataMissing)
    assert "not flattened" in str(error)


HEARTBEAT = {
    "type": "record",
    "name": "Heartbeat",
    "namespace": "io.debezium.connector.common",
    "fields": [{"name": "ts_ms", "type": "long"}],
    "connect.name": "io.debezium.connector.common.Heartbeat",
}


def heartbeat(connector: Connector, schema: dict[str, Any], values: dict[str, Any]) -> Message:
    """A message of the heartbeat topic."""
    body = encoded(schema, values)
    value = join(connector.register(schema), body)
    return Message(f"{HEARTBEAT_PREFIX}ajera", 0, 1, b'{"serverName":"ajera"}', value)


def test_a_heartbeat_tells_the_epoch_of_its_connector() -> None:
    """It shows that the snapshot of that epoch is over though nothing changed."""
    connector = Connector()
    schema = {
        **HEARTBEAT,
        "fields": [*HEARTBEAT["fields"], optional("__epoch", "string")],
    }
    assert connector.decode(
        heartbeat(connector, schema, {"ts_ms": 1, "__epoch": "4"})
    ) == Heartbeat(4)


def test_a_heartbeat_without_an_epoch_says_nothing_of_one() -> None:
    """A connector that was not applied by us sends none."""
    connector = Connector()
    assert connector.decode(heartbeat(connector, HEARTBEAT, {"ts_ms": 1})) == Heartbeat(0)


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\x01",
        b"\x00\x00\x00\x00\x63",
        b"\x00\x00\x00\x00\x01\xff",
    ],
)
def test_a_broken_heartbeat_is_an_error_and_not_an_exception(
    value: bytes | None,
) -> None:
    """Its topic is read like any other."""
    connector = Connector()
    connector.register(HEARTBEAT)
    found = connector.decode(Message(f"{HEARTBEAT_PREFIX}ajera", 0, 1, None, value))
    assert isinstance(found, Undecodable)


def test_a_topic_of_no_table_halts() -> None:
    """Nothing is dropped because nobody knows it."""
    found = Connector().decode(Message("ajera.Nothing", 0, 1, b"{}", b""))
    assert isinstance(found, Undecodable)
    assert isinstance(found.error, MetadataMissing)


OTHER_NAMES = Site.model_validate(
    {
        "source": {
            "AxContact": {
                "name": "Contacts & People",
                "columns": {
                    "cntKey": "1 Key",
                    "cntFirstName": "First Name",
                    "cntLastName": "Nachname (ü)",
                },
            }
        }
    }
)


def test_a_table_of_other_names_gives_canonical_events() -> None:
    """Blanks, digits in front and signs that Avro or Kafka do
    not allow are what the connector makes of them.
    """
    connector, schema = of_table(AX_CONTACT, site=OTHER_NAMES)
    values = flat(
        AX_CONTACT,
        8,
        site=OTHER_NAMES,
        cntFirstName="Ida",
        cntLastName="Holm",
    )
    message = connector.message(AX_CONTACT, schema, values)
    assert message.topic == "ajera.Contacts___People"
    assert message.key == b'{"_1_Key":8}'
    assert {"_1_Key", "First_Name", "Nachname____"} <= values.keys()
    event = connector.event(message)
    assert (event.table, event.key) == ("AxContact", "8")
    assert (event.row["cntFirstName"], event.row["cntLastName"]) == (
        "Ida",
        "Holm",
    )


def test_the_decoder_names_the_topics_that_it_reads() -> None:
    """By canonical table, in this site's names."""
    topics = Connector(OTHER_NAMES).decoder.topics
    assert topics["AxContact"] == "ajera.Contacts___People"
    assert topics["AxVec"] == "ajera.AxVec"
    assert len(topics) == len(READ)


def test_old_and_new_writer_schemas_may_stand_mixed_in_a_partition() -> None:
    """Each message is read with the schema that wrote it, whatever came before."""
    connector = Connector()
    old = connector.register(writer_schema(AX_VEC))
    new = connector.register(
        writer_schema(
            AX_VEC,
            added=(optional("vecNew", "string"),),
            retyped={"vecIsClient": "int"},
        )
    )
    before = connector.message(AX_VEC, old, flat(AX_VEC, 5, vecFax="1", vecIsClient=True))
    after = connector.message(
        AX_VEC,
        new,
        flat(AX_VEC, 5, vecFax="2", vecIsClient=0) | {"vecNew": "x"},
    )
    rows = [connector.event(message).row for message in (before, after, before)]
    assert [row["vecFax"] for row in rows] == ["1", "2", "1"]
    assert [row["vecIsClient"] for row in rows] == [True, False, True]


def test_a_body_of_the_other_schema_is_set_aside() -> None:
    """The right id decides: bytes that do not agree with it are no event."""
    connector = Connector()
    old = connector.register(writer_schema(AX_VEC))
    new = connector.register(writer_schema(AX_VEC, added=(optional("vecNew", "string"),)))
    message = connector.message(AX_VEC, old, flat(AX_VEC, 5))
    assert message.value is not None
    error = connector.error(
        connector.raw(
            AX_VEC,
            join(new, message.value[5:]),
            orjson.dumps({"vecKey": 5}),
        )
    )
    assert isinstance(error, MessageMalformed)


def test_bytes_after_the_body_are_set_aside() -> None:
    """A body that says more than its schema was not written with it."""
    connector, schema = of_table()
    message = connector.message(AX_VEC, schema, flat(AX_VEC, 5))
    assert isinstance(
        connector.error(connector.raw(AX_VEC, (message.value or b"") + b"\x00", message.key)),
        MessageMalformed,
    )


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\x00",
        b"\x00\x00\x00\x00",
        b"\x01\x00\x00\x00\x01x",
        b"\x00\xff\xff\xff\xffx",
        b"{}",
    ],
)
def test_what_is_not_the_wire_format_is_set_aside(value: bytes) -> None:
    """Too short, another first byte, a negative id."""
    connector, _ = of_table()
    error = connector.error(connector.raw(AX_VEC, value, b'{"vecKey":5}'))
    assert isinstance(error, MessageMalformed)
    assert error.remedy is Remedy.DEAD_LETTER
    assert connector.asked == []
