"""Pages that need the whole stack, and are no incident: rows that wait, a refused replay."""

from __future__ import annotations

import pytest
from confluent_kafka.admin import AdminClient

from deploy.demo.consumers import TO_PIM
from tests.incidents.firm import Firm
from tests.support.live import client, wait_until

pytestmark = pytest.mark.stack


def test_a_replay_is_refused_while_a_consumer_runs(firm: Firm) -> None:
    """Stopped, rehearsed and done as the page says, it changes no row."""
    person, topic = firm.person("replay.refused"), f"{firm.live.name}.AxVec"
    words = {"ROUTE": TO_PIM, "TOPIC": topic, "OFFSET": "0"}
    asked = person.type_("ajera-cdc replay --route ROUTE --topic TOPIC --to-beginning", **words)
    assert person.code in asked.shown
    assert topic in person.look(**words)
    firm.stop(TO_PIM)
    person.heal(**words)
    firm.start(TO_PIM)
    assert person.is_over(**words)


def test_a_row_that_the_target_rejects_is_corrected(firm: Firm) -> None:
    """It is named with its key, and continues by itself."""
    person = firm.person("target.rejected")
    refuse = (
        'ALTER TABLE "Organization" ADD CONSTRAINT no_tests CHECK ("Name" NOT LIKE \'Refused%%\')'
    )
    firm.live.pim.execute(refuse)
    rename = 'UPDATE "AxVec" SET "vecDescription" = %s WHERE "vecKey" = 3'
    try:
        firm.live.edit(rename, "Refused by PIM")
        firm.shows(lambda _: person.code in person.look(), "status shows the row")
        firm.live.edit(rename, "Client 3")
        wait_until(person.is_over, "the row is no longer listed")
    finally:
        firm.live.pim.execute('ALTER TABLE "Organization" DROP CONSTRAINT no_tests')


def test_a_code_that_no_list_has_is_corrected(firm: Firm) -> None:
    """The project waits; every other one continues."""
    person = firm.person("mapping.value")
    status = 'UPDATE "AxProject" SET "prjStatus" = %s WHERE "prjKey" = 2'
    firm.live.edit(status, 77)
    firm.shows(lambda _: person.code in person.look(), "status shows the row")
    firm.live.edit(status, 1)
    person.heal()
    wait_until(person.is_over, "the row is no longer listed")


def test_a_backfill_of_a_paused_connector_starts_once_it_runs(firm: Firm) -> None:
    """It is refused with the reason, and nothing was asked for."""
    person, words = firm.person("connect.backfill"), {"SOURCE": "ajera", "TABLE": "AxVec"}
    assert person.type_("ajera-cdc connectors pause --source SOURCE", **words).exit_code == 0
    refused = person.type_("ajera-cdc backfill SOURCE TABLE", **words)
    assert person.code in refused.shown
    assert "PAUSED" in person.look(**words)
    person.heal(**words)
    assert person.type_("ajera-cdc backfill SOURCE TABLE", **words).exit_code == 0
    assert person.is_over(**words)


def test_a_registry_that_is_away_is_started(firm: Firm) -> None:
    """Consumers are not restarted."""
    person = firm.person("registry.unavailable")
    firm.live.stack.kill_part("registry")
    try:
        assert person.code in person.look()
        assert not person.is_over()
    finally:
        firm.live.stack.start_part("registry")
    person.heal()
    wait_until(person.is_over, "the registry answers")


def test_a_topic_that_is_missing_when_a_consumer_starts_is_created(firm: Firm) -> None:
    """The consumer ends with the code, and starts once `apply` has created the topic."""
    person, topic = firm.person("kafka.topic"), f"{firm.live.name}.AxResource"
    kafka = AdminClient({"bootstrap.servers": firm.live.stack.bootstrap})
    firm.stop(TO_PIM)
    kafka.delete_topics([topic])[topic].result(10)
    firm.begin(TO_PIM)
    wait_until(lambda: person.code in firm.said(TO_PIM), "the consumer says so")
    assert topic in person.look(SOURCE="ajera")
    assert not person.is_over(SOURCE="ajera")
    person.heal(SOURCE="ajera")
    firm.wait_until_healthy()
    assert person.is_over(SOURCE="ajera")


def test_a_row_that_refers_to_no_row_waits_until_that_comes(firm: Firm) -> None:
    """It is named with its key, and continues by itself."""
    person = firm.person("row.missing")
    firm.live.insert("AxContact", contact(90))
    firm.shows(lambda _: person.code in person.look(), "status shows the row")
    person.heal()
    firm.live.insert("AxVec", client(90, "Came late"))
    wait_until(person.is_over, "the row is no longer listed")


def contact(key: int) -> dict[str, object]:
    """A contact of a client of the same key, which is not there yet."""
    return {"cntKey": key, "cntClient": key, "cntFirstName": "Kari", "cntLastName": f"Moe {key}"}
