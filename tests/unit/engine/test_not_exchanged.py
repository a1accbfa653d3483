"""What is read, or waits, of kinds that are not exchanged: below Ajera 8.09 employees, consultants
and addresses are not, and the version that is stated may be corrected once pairs are there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from pipeline.conflicts.link import Link, State
from pipeline.conflicts.settle import open_writes
from pipeline.domain.dps import CL_ADDRESS, EM
from pipeline.domain.exchange_tables import AX_VEC
from pipeline.errors import UsageError
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Value
from pipeline.operations.conflicts import link_of
from tests.support.engine import patiently
from tests.support.kinds import kinds_of
from tests.support.two_systems import AJERA, DPS, Crash, TwoSystems
from tests.twins.topics import INCARNATION, messages

T = TypeVar("T")

EMPLOYEE: dict[str, Value] = {
    "vecKey": 5,
    "vecLastName": "Lee",
    "vecIsClient": False,
    "vecIsVendor": False,
    "vecIsEmployee": True,
}
FIRM: dict[str, Value] = {"vecIsClient": True, "vecIsVendor": False, "vecIsEmployee": False}


class Versions(TwoSystems):
    """Both systems, without employee numbers, whose version is changed."""

    def __init__(self) -> None:
        super().__init__(seed=2)
        self.turns.deaths = 0
        self.setup = replace(self.setup, numbers={"project": "", "employee": ""})
        self.processes = [self._started(), self._started()]

    def lower(self) -> None:
        """To one below 8.09: other processes go on."""
        self.setup = replace(self.setup, entities=kinds_of(two_way=False))
        self.processes = [self._started(), self._started()]

    def skipped(self) -> int:
        """How many events were."""
        with self.pairs.transaction() as transaction:
            return sum(one.skipped for one in transaction.progress(self.topics.events).values())

    def firm(self, key: int, **columns: Value) -> None:
        """One in Ajera, that is to be exchanged."""
        row: dict[str, Value] = {"vecKey": key, "vecDescription": "Hill", "vecSyncToCRM": True}
        self.people[AJERA].insert(AX_VEC, **{**FIRM, **row, **columns})

    def die_with_an_open_write(self) -> None:
        """A process reads what is new, and dies before it writes in Ajera."""

        def attempt(call: Callable[[], T]) -> T:
            done = call()
            if any(map(open_writes, self.pairs.links())):
                raise Crash
            return done

        self.topics.capture()
        events = [event for part in self.topics.events for event in self._new(part)]
        tables = dict.fromkeys((event.table for event in events), INCARNATION)
        with pytest.raises(Crash):
            self.processes[1].process(list(messages(events)), tables, attempt)

    def of(self, entity: str) -> list[Link]:
        """Its pairs that have not ended."""
        links = self.pairs.links()
        return [one for one in links if one.entity == entity and one.state is not State.ENDED]

    def waiting(self) -> int:
        """How much work is parked."""
        with self.pairs.transaction() as transaction:
            return transaction.waiting_count()


@pytest.mark.parametrize(
    ("table", "row"),
    [
        (CL_ADDRESS, {"ClientID": "F1", "Address": "Main", "PrimaryInd": "Y", "City": "Rome"}),
        (EM, {"Employee": "E1", "LastName": "Lee"}),
    ],
    ids=["address", "employee"],
)
def test_below_809_an_event_of_a_table_that_no_kind_has_is_left_alone(
    table: SourceTable, row: dict[str, Value]
) -> None:
    """Its topic is read like the others, and it is counted."""
    both = Versions()
    both.lower()
    both.people[DPS].insert(table, **row)
    both.topics.capture()
    both.settle()
    assert both.skipped() == 1


def test_parked_work_of_a_kind_that_is_not_exchanged_any_more_stays_parked() -> None:
    """The rest is tried."""
    both = Versions()
    both.people[AJERA].insert(AX_VEC, **EMPLOYEE)
    both.topics.capture()
    both.settle()
    assert both.waiting() == 1
    both.lower()
    both.processes[0].drain(patiently, waiting_retry_seconds=-1)
    assert both.waiting() == 1


def test_a_row_s_pair_of_a_kind_that_is_not_exchanged_any_more_does_not_end_with_the_others() -> (
    None
):
    """Its firm was made again under another key, and the create is read before the delete."""
    both = Versions()
    both.firm(1, vecCity="Oslo")
    both.settle()
    (address,) = both.of("firm_address")
    both.lower()
    both.firm(2)
    both.people[AJERA].delete(AX_VEC, "1")
    both.settle()
    assert [one.ajera.key for one in both.of("firm")] == ["2"]
    assert both.of("firm_address") == [address]


def test_a_write_left_open_of_a_kind_that_is_not_exchanged_any_more_stays_as_it_is() -> None:
    """An event of its row ends all the same."""
    both = Versions()
    both.firm(1, vecCity="Oslo")
    both.settle()
    (key,) = both.keys(CL_ADDRESS)
    both.people[DPS].edit(CL_ADDRESS, key, City="Rome")
    both.die_with_an_open_write()
    (address,) = both.of("firm_address")
    assert open_writes(address)
    both.lower()
    both.people[AJERA].edit(AX_VEC, "1", vecWebsite="firm.example")
    both.settle()
    assert both.of("firm_address") == [address]


def test_nothing_can_be_decided_about_a_pair_of_a_kind_that_is_not_exchanged() -> None:
    """Whoever asks is told why, and the pair stays as it is."""
    both = Versions()
    both.firm(1, vecCity="Oslo")
    both.settle()
    (address,) = both.of("firm_address")
    assert link_of(both.setup, both.pairs, address.id) == address
    both.lower()
    with pytest.raises(UsageError, match="firm_address, which is not exchanged"):
        link_of(both.setup, both.pairs, address.id)
