"""Decoding: every kind of message that a connector writes becomes what it is, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.decoding.event import UNAVAILABLE
from pipeline.errors import (
    ContractBroken,
    MessageMalformed,
    MetadataMissing,
    PipelineError,
    RegistryUnavailable,
    SchemaUnknown,
)
from pipeline.mapping.site import Site, TableNames
from pipeline.model.event import Event, Heartbeat, Message, Operation, Tombstone, Undecodable
from pipeline.model.position import Place, postgres_position, sqlserver_position
from tests.support.wire import Wire, flat, schema

SQL_SERVER: dict[str, Any] = {
    "__source_sequence": None,
    "__source_commit_lsn": ["null", "string"],
    "__source_change_lsn": ["null", "string"],
    "__source_event_serial_no": ["null", "long"],
}


def decoded(wire: Wire, message: Message) -> Event:
    found = wire.decoder.decode(message, 3)
    assert isinstance(found, Event), found
    return found


def refused(wire: Wire, message: Message) -> PipelineError:
    found = wire.decoder.decode(message, 3)
    assert isinstance(found, Undecodable), found
    return found.error


def test_an_update_gives_the_row_its_position_its_place_and_its_commit_time() -> None:
    """Null is a value; instants are aware UTC; the key is text."""
    wire = Wire()
    event = decoded(wire, wire.message(flat(vecDescription="Acme", vecIsClient=True)))
    assert (event.table, event.key, event.operation) == ("AxVec", "1", Operation.UPDATE)
    assert event.row["vecDescription"] == "Acme"
    assert event.row["vecZip"] is None
    assert event.row["vecIsClient"] is True
    assert event.position == postgres_position(1, '["100","101"]')
    assert event.place == Place(3, 0, 7)
    assert event.committed_at == datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    assert (event.epoch, event.snapshot_ended) == (1, True)


def test_a_delete_has_no_row_for_its_columns_are_placeholders() -> None:
    """The old image comes from the mirror."""
    wire = Wire()
    assert decoded(wire, wire.message(flat(op="d", vecDescription="old"))).row == {}


def test_a_row_read_by_a_snapshot_has_no_position() -> None:
    """And only the last one is evidence that the snapshot is over."""
    wire = Wire()
    read = decoded(wire, wire.message(flat(op="r")))
    last = decoded(wire, wire.message(flat(op="r", __source_snapshot="last")))
    backfilled = decoded(wire, wire.message(flat(op="r", __source_snapshot="incremental")))
    assert (read.position, read.snapshot_ended) == ("", False)
    assert (last.snapshot_ended, backfilled.snapshot_ended) == (True, False)


def test_a_position_of_sql_server_comes_from_its_three_parts() -> None:
    """All three must be there: two changes of one transaction differ in the last ones."""
    wire = Wire()
    places = {
        "__source_commit_lsn": "0000002b:00000e10:0005",
        "__source_change_lsn": "0000002b:00000e10:0002",
        "__source_event_serial_no": 2,
    }
    values = {name: value for name, value in flat().items() if name != "__source_sequence"} | places
    event = decoded(wire, wire.message(values, schema(**SQL_SERVER)))
    assert event.position == sqlserver_position(1, "0000002b:00000e10:0005", "0000002b:00000e10:0002", 2)
    error = refused(wire, wire.message(values | {"__source_event_serial_no": None}, schema(**SQL_SERVER)))
    assert isinstance(error, MetadataMissing)


def test_a_tombstone_is_never_a_delete_by_itself() -> None:
    """It comes after the delete's own message."""
    assert Wire().decoder.decode(Message("ajera.AxVec", 0, 1, b'{"vecKey":1}', None), 1) == Tombstone()


def test_a_heartbeat_tells_its_epoch_if_it_carries_one() -> None:
    """A connector that we did not apply sends none, and is no evidence."""
    wire = Wire()
    fields = [{"name": "ts_ms", "type": "long"}, {"name": "__epoch", "type": ["null", "string"]}]
    stamped = {"type": "record", "name": "Heartbeat", "fields": fields}
    plain = {"type": "record", "name": "Heartbeat", "fields": fields[:1]}
    topic = "__debezium-heartbeat.ajera"
    with_epoch = wire.message({"ts_ms": 1, "__epoch": "4", "vecKey": 1}, stamped)
    without = wire.message({"ts_ms": 1, "vecKey": 1}, plain)
    assert wire.decoder.decode(replace(with_epoch, topic=topic), 1) == Heartbeat(4)
    assert wire.decoder.decode(replace(without, topic=topic), 1) == Heartbeat(0)


def test_a_value_that_the_source_did_not_send_is_absent_and_not_null() -> None:
    """The connector's marker must never reach a target as a value."""
    wire = Wire()
    row = decoded(wire, wire.message(flat("AxProject", prjNotes=UNAVAILABLE), table="AxProject")).row
    assert "prjNotes" not in row
    assert row["prjDescription"] is None


def test_flags_that_are_integers_become_booleans_and_nothing_else_passes() -> None:
    """0 and 1 as SQL Server's bit columns may come."""
    wire = Wire()
    writer = schema(vecIsClient=["null", "int"])
    assert decoded(wire, wire.message(flat(vecIsClient=1), writer)).row["vecIsClient"] is True
    assert decoded(wire, wire.message(flat(vecIsClient=0), writer)).row["vecIsClient"] is False
    assert isinstance(refused(wire, wire.message(flat(vecIsClient=7), writer)), MessageMalformed)


@pytest.mark.parametrize(
    "changed",
    [
        {"__op": "x"},
        {"__op": None},
        {"__deleted": "true"},
        {"__epoch": "-1"},
        {"__epoch": None},
        {"__source_sequence": "[1,2]"},
        {"__source_sequence": None},
        {"__source_snapshot": "maybe"},
        {"__source_ts_ms": None},
    ],
    ids=str,
)
def test_a_message_without_what_orders_events_halts(changed: dict[str, Any]) -> None:
    """Going on would lose the order."""
    wire = Wire()
    assert isinstance(refused(wire, wire.message(flat(**changed))), MetadataMissing)


@pytest.mark.parametrize("key", [None, b"", b"1", b'{"vecKey":"1"}', b'{"vecKey":2}', b'{"vecKey":1,"x":1}', b"\xff"])
def test_a_key_that_does_not_name_the_row_halts(key: bytes | None) -> None:
    """The partition hangs on the key's bytes."""
    wire = Wire()
    assert isinstance(refused(wire, replace(wire.message(flat()), key=key)), MetadataMissing)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"vecZip": None}, "AxVec.vecZip is missing, needed by client -> Organization.Post Code"),
        ({"vecZip": ["null", "long"]}, "AxVec.vecZip has type null or long"),
        (
            {"vecZip": ["null", {"type": "long", "connect.name": "io.debezium.time.Timestamp"}]},
            "io.debezium.time.Timestamp",
        ),
        ({"vecKey": ["null", "int"]}, "AxVec.vecKey has type null or int"),
    ],
    ids=["missing", "retyped", "a time", "a key that may be null"],
)
def test_a_writer_schema_that_breaks_the_contract_is_refused_by_column_line_and_id(
    changed: dict[str, Any], words: str
) -> None:
    """And judged once a schema id."""
    wire = Wire()
    message = (
        wire.message(flat(), schema(**changed))
        if "vecZip" not in changed or changed["vecZip"]
        else wire.message({k: v for k, v in flat().items() if k != "vecZip"}, schema(**changed))
    )
    for _ in range(3):
        error = refused(wire, message)
        assert isinstance(error, ContractBroken)
        assert words in str(error)
        assert "schema id 1" in str(error)
    assert wire.asked == [1]


def test_added_columns_are_fine_and_old_and_new_schemas_mix() -> None:
    """Two ids in one partition, each read by its own schema."""
    wire = Wire()
    old = wire.message(flat(vecDescription="old"))
    new = wire.message(flat(vecDescription="new") | {"vecColour": "red"}, schema(vecColour=["null", "string"]))
    assert [decoded(wire, one).row["vecDescription"] for one in (old, new, old)] == ["old", "new", "old"]
    assert "vecColour" not in decoded(wire, new).row


def test_a_registry_that_does_not_know_an_id_is_asked_again_each_time() -> None:
    """Only answers are remembered, never a failure."""
    wire = Wire()
    message = wire.message(flat())
    kept = dict(wire.schemas)
    wire.schemas.clear()
    assert isinstance(refused(wire, message), SchemaUnknown)
    wire.schemas.update(kept)
    assert decoded(wire, message).key == "1"


def test_any_fault_of_asking_the_registry_is_transient() -> None:
    """A fault of its client is never a fault of the message."""
    from pipeline.decoding.avro import Schemas

    def away(_: int) -> str:
        raise OSError("refused")

    assert isinstance(Schemas(away).find(1), RegistryUnavailable)


def test_a_site_whose_names_all_differ_gives_the_same_canonical_event() -> None:
    """Names with blanks, which the connector adjusts."""
    site = Site(source={"AxVec": TableNames(name="Ax Vec", columns={"vecKey": "vec id", "vecDescription": "1st name"})})
    wire = Wire(site)
    writer = schema(vecKey=None, vecDescription=None) | {}
    writer["fields"] += [{"name": "vec_id", "type": "int"}, {"name": "_1st_name", "type": ["null", "string"]}]
    values = flat() | {"vec_id": 1, "_1st_name": "Acme"}
    message = replace(wire.message(values, writer), topic="ajera.Ax_Vec", key=b'{"vec_id":1}')
    event = decoded(wire, message)
    assert (event.table, event.key, event.row["vecKey"], event.row["vecDescription"]) == ("AxVec", "1", 1, "Acme")
