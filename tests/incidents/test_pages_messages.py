"""Pages of messages that nobody can read: dead letters, a topic full of them, and a schema that
the registry has lost.
"""

from __future__ import annotations

import struct

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from deploy.demo.consumers import TO_PIM
from tests.incidents.firm import CLIENTS, Firm
from tests.support.live import wait_until

pytestmark = pytest.mark.stack
UNKNOWN_ID = 9_998
IN_A_ROW = 3
SPOILED = b"\1 no Avro"
LOST = b"\0" + struct.pack(">i", UNKNOWN_ID)


def test_messages_that_nobody_can_read(firm: Firm) -> None:
    """A program writes to a topic beside the connector. Its messages are set aside, and nothing
    else; too many of them halt their partition.
    """
    role = {"resKey": 1, "resProject": 1, "resEmployee": CLIENTS + 1, "resRole": "Drafter"}
    firm.live.insert("AxResource", role)  # the row that they would be about
    impatient = {"unknown_schema_timeout_seconds": 1.0}
    run = {"max_consecutive_dead_letters": IN_A_ROW}
    with firm.other_settings(TO_PIM, registry=impatient, run=run):
        nothing_takes_a_dead_letter(firm)
        it_was_set_aside(firm)
        there_are_too_many(firm)
        its_schema_is_lost(firm)


def topic(firm: Firm) -> str:
    """One that PIM's route reads alone."""
    return f"{firm.live.name}.AxResource"


def produce(firm: Firm, count: int, value: bytes) -> None:
    kafka = Producer({"bootstrap.servers": firm.live.stack.bootstrap})
    for _ in range(count):
        kafka.produce(topic(firm), key=b'{"resKey":1}', value=value)
    assert kafka.flush(10) == 0


def nothing_takes_a_dead_letter(firm: Firm) -> None:
    """Somebody deleted the topic of dead letters."""
    person, letters = firm.person("kafka.dead_letter"), f"{firm.live.name}.dead"
    kafka = AdminClient({"bootstrap.servers": firm.live.stack.bootstrap})
    kafka.delete_topics([letters])[letters].result(10)
    produce(firm, 1, SPOILED)
    wait_until(lambda: person.code in person.look(), "status names the partition")
    assert letters in person.look()
    assert not person.is_over()
    person.heal(SOURCE="ajera")
    wait_until(person.is_over, "the dead letter is written")


def it_was_set_aside(firm: Firm) -> None:
    """The consumer's log says so; nothing else waits for it."""
    person = firm.person("decode.malformed")
    assert person.code in firm.said(TO_PIM)
    before = dead(firm)
    assert before == 1
    person.look()
    person.heal(SOURCE="ajera", TABLE="AxResource", KEY="1")
    assert person.is_over()
    assert dead(firm) == before


def dead(firm: Firm) -> float:
    return firm.look().metric(TO_PIM, "pipeline_dead_letters_total") or 0


def there_are_too_many(firm: Firm) -> None:
    """Nobody can ever read them: they are skipped, and the row is read again."""
    person = firm.person("kafka.circuit_open")
    produce(firm, 3 * IN_A_ROW, SPOILED)
    place = halted(firm, person.code)
    assert dead(firm) < 3 * IN_A_ROW
    assert person.code in person.look(**place)
    person.heal(**place)
    wait_until(person.is_over, "the partition continues")


def its_schema_is_lost(firm: Firm) -> None:
    """For longer than a registry may take."""
    person = firm.person("registry.lost")
    produce(firm, 1, LOST)
    place = halted(firm, person.code)
    shown = person.look()
    assert person.code in shown
    assert str(UNKNOWN_ID) in shown
    person.heal(**place)
    wait_until(person.is_over, "the partition continues")


def halted(firm: Firm, code: str) -> dict[str, str]:
    """Where status says that the partition has halted, in the words of the pages."""
    wait_until(lambda: code in firm.look().problems, f"status names the partition, with {code}")
    halt = firm.look().halt(TO_PIM, topic(firm))
    assert halt is not None
    return {
        "ROUTE": TO_PIM,
        "SOURCE": "ajera",
        "TABLE": "AxResource",
        "TOPIC": topic(firm),
        "PARTITION": "0",
        "OFFSET": str(halt["offset"]),
    }
