"""Pages that end with a new snapshot: their faults are there at once, and one snapshot ends all."""

from __future__ import annotations

import io
import json
import time
from contextlib import closing

import fastavro
import httpx
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]

from deploy.demo.consumers import EXCHANGE, TO_PIM
from pipeline.decoding import wire
from pipeline.kafka.admin import KafkaAdmin
from pipeline.model.event import Message
from pipeline.model.position import TopicPartition
from tests.incidents.firm import Firm
from tests.support.live import wait_until

pytestmark = pytest.mark.stack
HOUR_SECONDS = 3600
GROWN, TRUNCATED, REWOUND, LEFT_OUT = "AxInvoiceGroup", "AxVec", "AxProject", "AxResource"
WORDS = {"SOURCE": "ajera"}
CODES = (
    "column.unknown",
    "decode.truncate",
    "source.rewound",
    "decode.metadata",
    "connect.snapshot_needed",
)


def test_one_new_snapshot_ends_what_nothing_less_does(firm: Firm) -> None:
    """A release added a column, a table was truncated, the source was restored, and somebody edited
    the connector, which then lacks a table. Consumers go on meanwhile.
    """
    people = [firm.person(code) for code in CODES]
    assert len({person.typed for person in people}) == 1, "typed once, it is typed for all"
    firm.stop(TO_PIM, EXCHANGE)
    a_column_is_new(firm)
    firm.start(TO_PIM, EXCHANGE)
    the_source_is_rewound(firm)
    a_table_is_truncated(firm)
    for code in CODES[:3]:
        wait_until(lambda one=code: one in said(firm), f"status says {code}")  # type: ignore[misc]
    the_connector_is_edited(firm)
    wait_until(lambda: is_told_of_a_contact(firm), "status says that something is missing")
    refused = firm.person("connect.snapshot_needed").type_("ajera-cdc connectors apply")
    assert "connect.snapshot_needed" in refused.shown
    assert LEFT_OUT in refused.shown
    assert "RUNNING" in people[-1].look(**WORDS)
    for person in people[:-1]:
        assert person.code in person.look(**WORDS)
        assert not person.is_over(**WORDS)
    people[0].heal(**WORDS)
    for person in people:
        wait_until(lambda one=person: one.is_over(**WORDS), f"{person.code} is over")  # type: ignore[misc]


def test_a_topic_with_more_partitions_is_made_again(firm: Firm) -> None:
    """While its consumers are stopped."""
    person = firm.person("kafka.partitions")
    kafka = AdminClient({"bootstrap.servers": firm.live.stack.bootstrap})
    firm.stop(TO_PIM, EXCHANGE)
    grow(kafka, topic(firm, GROWN))
    firm.start(TO_PIM, EXCHANGE)
    wait_until(lambda: person.code in person.look(**WORDS), "status says that it has grown")
    assert not person.is_over(**WORDS)

    def delete_what_grew(command: str) -> None:
        if "remove" in command:
            grown = topic(firm, GROWN)
            kafka.delete_topics([grown])[grown].result(10)

    firm.stop(TO_PIM, EXCHANGE)
    person.heal(delete_what_grew, **WORDS)
    firm.start(TO_PIM, EXCHANGE)
    wait_until(lambda: person.is_over(**WORDS), "the table is loaded")


def topic(firm: Firm, table: str) -> str:
    return f"{firm.live.name}.{table}"


def said(firm: Firm) -> set[str]:
    """Which of the codes status shows."""
    shown = firm.person("").type_("ajera-cdc status").shown
    return {code for code in CODES if code in shown}


def grow(kafka: AdminClient, name: str) -> None:
    kafka.create_partitions([NewPartitions(name, 2)])[name].result(10)


def a_column_is_new(firm: Firm) -> None:
    """As a release before this one has left the state; somebody deleted the project in PIM."""
    firm.live.pim.execute('ALTER TABLE sync."mirror_AxProject" DROP COLUMN "prjDescription"')
    firm.live.command("schema", "upgrade")
    firm.live.pim.execute("""DELETE FROM "Project" WHERE "Project ID" = '4'""")
    firm.live.edit('UPDATE "AxVec" SET "vecDescription" = \'Client 4 Ltd\' WHERE "vecKey" = 4')


def a_table_is_truncated(firm: Firm) -> None:
    """Our connector drops what tells of it, and the sample refuses it, as SQL Server does:
    another connector wrote this.
    """
    again(firm, topic(firm, TRUNCATED), __op="t")


def the_source_is_rewound(firm: Firm) -> None:
    """A change of a restored source: before the newest one in its log, and committed an hour
    after it.
    """
    firm.live.edit('UPDATE "AxProject" SET "prjDescription" = \'Anew\' WHERE "prjKey" = 3')
    wait_until(lambda: firm.live.project(3, "Name") == "Anew", "PIM has the edit")
    later_ms = int((time.time() + HOUR_SECONDS) * 1000)
    again(firm, topic(firm, REWOUND), __source_sequence='["1","1"]', __source_ts_ms=later_ms)


def again(firm: Firm, name: str, **metadata: object) -> None:
    """The newest message of a topic once more, with other metadata."""
    message = newest(firm, name)
    schema_id, body = wire.split(message.value or b"")
    asked = httpx.get(f"{firm.live.stack.registry}/schemas/ids/{schema_id}").json()
    schema = fastavro.parse_schema(json.loads(asked["schema"]))
    row = fastavro.schemaless_reader(io.BytesIO(body), schema, schema)
    assert isinstance(row, dict)
    changed = io.BytesIO()
    fastavro.schemaless_writer(changed, schema, row | metadata)
    producer = Producer({"bootstrap.servers": firm.live.stack.bootstrap})
    producer.produce(name, key=message.key, value=wire.join(schema_id, changed.getvalue()))
    assert producer.flush(10) == 0


def newest(firm: Firm, name: str) -> Message:
    """The last message of a topic of one partition."""
    partition = TopicPartition(name, 0)
    with closing(KafkaAdmin(firm.live.stack.bootstrap, {})) as kafka:
        (_, end) = kafka.watermarks([name])[partition]
        return kafka.messages_at({partition: end - 1})[partition]


def the_connector_is_edited(firm: Firm) -> None:
    """By hand: its messages lack what changes are ordered by, and a table is captured no more."""
    connector = firm.live.settings()["sources"]["ajera"]["connector_name"]
    address = f"{firm.live.stack.connect}/connectors/{connector}/config"
    config = httpx.get(address).json()
    tables = config["table.include.list"].split(",")
    fields = config["transforms.unwrap.add.fields"].split(",")
    edited = {
        "table.include.list": ",".join(one for one in tables if not one.endswith(LEFT_OUT)),
        "transforms.unwrap.add.fields": ",".join(one for one in fields if "sequence" not in one),
    }
    httpx.put(address, json=config | edited).raise_for_status()
    contact = {"cntKey": 94, "cntClient": 4, "cntFirstName": "Kari", "cntLastName": "Moe"}
    firm.live.insert("AxContact", contact)


def is_told_of_a_contact(firm: Firm) -> bool:
    """Its edits are captured as the connector is now, once Connect has restarted its task."""
    firm.live.edit('UPDATE "AxContact" SET "cntMiddleName" = %s', str(time.monotonic_ns()))
    return "decode.metadata" in said(firm)
