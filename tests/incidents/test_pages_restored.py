"""The page of links that are older than Ajera: the DPS database was restored from a backup."""

from __future__ import annotations

import pytest

from deploy.demo.consumers import EXCHANGE
from deploy.sample import databases
from pipeline.errors import ExitCode
from tests.incidents.firm import Firm
from tests.incidents.test_restored import copied, swapped
from tests.support.live import client, wait_until

pytestmark = pytest.mark.stack
HALTED = "pipeline_halted_partitions"
WEBSITE = 'SELECT count(*) FROM "Clendor" WHERE "WebSite" = %s'


def test_dps_is_restored(firm: Firm) -> None:
    """Nothing is exchanged until a person has formed the pairs again; then nothing differs."""
    person, live = firm.person("exchange.restored"), firm.live
    url = live.settings()["sources"]["dps"]["database"]
    place = url.rsplit("/", 1)[1]
    copy, gone = f"{place}-copy", f"{place}-gone"
    # One whose website nobody has edited: two that differ at a first link are left to a person.
    live.insert("AxVec", client(93, "Lacked", vecSyncToCRM=True))
    named = 'SELECT count(*) FROM "Clendor" WHERE "Name" = %s'
    wait_until(lambda: firm.dps.execute(named, ["Lacked"]).fetchone() == (1,), "DPS has the client")
    firm.stop(EXCHANGE)
    firm.dps.close()
    with databases.connect(live.stack.postgres_url("postgres")) as admin:
        wait_until(lambda: copied(admin, place, copy), "a backup of DPS")
        firm.dps = databases.connect(url)
        firm.start(EXCHANGE)
        live.edit('UPDATE "AxVec" SET "vecWebsite" = \'lacked.example\' WHERE "vecKey" = 93')
        wait_until(lambda: has(firm, "lacked.example"), "DPS has the edit")
        firm.dps.close()
        wait_until(lambda: swapped(admin, place, copy, gone), "the backup is in its place")
        firm.dps = databases.connect(url)
    seen = firm.shows(
        lambda seen: (
            person.code in seen.problems
            and (seen.metric(EXCHANGE, HALTED, code=person.code) or 0) > 1
            and person.code in seen.reasons(EXCHANGE)
        ),
        "status, health and a metric say so",
    )
    assert seen.status_code == ExitCode.HALTED
    wait_until(lambda: person.code in person.look(), "the page's command shows it")
    assert not has(firm, "lacked.example")

    def by_hand(command: str) -> None:
        if command.endswith("--topics --yes"):
            for table in ("link", "parked", "unlinked"):
                firm.dps.execute(f"DELETE FROM sync.{table}")

    remove = "ajera-cdc connectors remove --source dps --topics --yes"
    refused = person.type_(remove)
    assert refused.exit_code == ExitCode.USAGE
    assert "stop its consumers first" in refused.shown
    firm.stop(EXCHANGE)
    person.heal(by_hand)
    firm.start(EXCHANGE)
    firm.wait_until_right()
    assert has(firm, "lacked.example")
    wait_until(person.is_over, "no partition is halted")


def has(firm: Firm, website: str) -> bool:
    return firm.dps.execute(WEBSITE, [website]).fetchone() != (0,)
