"""Pages that need the whole stack, and are no incident: rows that wait, a refused replay."""

from __future__ import annotations

import pytest

from deploy.demo.consumers import TO_PIM
from tests.incidents.firm import Firm
from tests.support.live import wait_until

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
