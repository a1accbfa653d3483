"""What is read, or waits, of kinds that are not exchanged: below Ajera 8.09 employees, consultants
and addresses are not, and the version that is stated may be corrected once pairs are there.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.domain.choice import EVERYBODY
from pipeline.domain.dps import CL_ADDRESS, EM
from pipeline.domain.exchange import entities
from pipeline.domain.exchange_tables import AX_VEC
from pipeline.domain.status import StatusCoding
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Value
from tests.support.engine import patiently
from tests.support.two_systems import AJERA, DPS, TwoSystems

EMPLOYEE: dict[str, Value] = {
    "vecKey": 5,
    "vecLastName": "Lee",
    "vecIsClient": False,
    "vecIsVendor": False,
    "vecIsEmployee": True,
}


class Versions(TwoSystems):
    """Both systems, without employee numbers, whose version is changed."""

    def __init__(self) -> None:
        super().__init__(seed=2)
        self.turns.deaths = 0
        self.setup = replace(self.setup, numbers={"project": "", "employee": ""})
        self.processes = [self._started(), self._started()]

    def lower(self) -> None:
        """To one below 8.09: other processes go on."""
        left = entities(
            two_way=False,
            rules={},
            clock_tolerance=timedelta(0),
            status=StatusCoding.ONE_IS_ACTIVE,
            choices=EVERYBODY,
        )
        self.setup = replace(self.setup, entities=left)
        self.processes = [self._started(), self._started()]

    def skipped(self) -> int:
        """How many events were."""
        with self.pairs.transaction() as transaction:
            return sum(one.skipped for one in transaction.progress(self.topics.events).values())

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
