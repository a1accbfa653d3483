"""Whatever is configured, and whatever an earlier configuration left in the state: an event of any
table that is read ends, and raises nothing that is no error of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.conflicts.rules import Rule, Side
from pipeline.domain.ajera import AX_INVOICE_GROUP
from pipeline.domain.dps import CL_ADDRESS, CLENDOR, CONTACTS, EM, PR_CONTACT_ASSOC
from pipeline.domain.exchange import ENTITIES
from pipeline.domain.exchange_tables import AX_CONTACT, AX_PROJECT, AX_VEC, PR, SIDES
from pipeline.domain.status import StatusCoding
from pipeline.engine.exchange.unit_of_work import ExchangeConfig
from pipeline.errors import ProfileInvalid
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Value
from tests.support.kinds import kinds_of
from tests.support.two_systems import TwoSystems, setup_of

Rows = tuple[tuple[SourceTable, Mapping[str, Value]], ...]

FIRM = {"vecIsClient": True, "vecIsVendor": False, "vecIsEmployee": False, "vecSyncToCRM": True}
EVERY_KIND = {"vecIsClient": True, "vecIsVendor": True, "vecIsEmployee": True, "vecVendorType": 1}
WBS = {"WBS1": "P1", "WBS2": " ", "WBS3": " "}
OURS: Rows = (
    (AX_VEC, {"vecKey": 1, "vecDescription": "Hill", "vecCity": "Oslo", "vecStatus": 1, **FIRM}),
    (AX_VEC, {"vecKey": 2, "vecDescription": "Lee", "vecLastName": "Lee", **EVERY_KIND}),
    (AX_CONTACT, {"cntKey": 1, "cntLastName": "Low", "cntClient": 1, "cntSyncToCRM": True}),
    (AX_PROJECT, {"prjKey": 1, "prjID": "P7", "prjDescription": "Mill", "prjCreateInCRM": True}),
    (AX_INVOICE_GROUP, {"igKey": 1, "igProject": 1, "igClient": 1}),
)
THEIRS: Rows = (
    (CLENDOR, {"ClientID": "F1", "Name": "Dale", "ClientInd": "Y", "AjeraSync": "Y"}),
    (CLENDOR, {"ClientID": "F2", "Name": "Lee", "ClientInd": "N", "VendorInd": "Y"}),
    (CL_ADDRESS, {"ClientID": "F1", "Address": "Main", "PrimaryInd": "Y", "City": "Rome"}),
    (CONTACTS, {"ContactID": "C1", "LastName": "Moe", "ClientID": "F1", "AjeraSync": "Y"}),
    (EM, {"Employee": "E1", "LastName": "Lee", "Status": "A"}),
    (PR, {**WBS, "Name": "Dam", "ClientID": "F1", "AjeraSync": "Y"}),
    (PR_CONTACT_ASSOC, {**WBS, "ContactID": "C1", "AjeraSync": "Y"}),
)
NUMBER = "project.number"  # in DPS a key
ROWS = (*OURS, *THEIRS)


def setup(
    *,
    two_way: bool = True,
    rules: Mapping[str, Rule] | None = None,
    coding: StatusCoding = StatusCoding.ONE_IS_ACTIVE,
) -> ExchangeConfig:
    """How an installation exchanges."""
    found = kinds_of(two_way=two_way, rules=rules, status=coding)
    return replace(setup_of(timedelta(hours=1)), entities=found)


def one_rule(rule: Rule) -> dict[str, Rule]:
    """For every line that may have it, but for the one that holds a key."""
    found = {}
    for one in ENTITIES:
        for pair in one.rules.pairs:
            with suppress(ProfileInvalid):
                found[f"{one.name}.{replace(pair, rule=rule).name}"] = rule
    return found if rule in (Rule.CREATE_ONLY, Rule.DPS) else {**found, NUMBER: Rule.CREATE_ONLY}


SETUPS: dict[str, ExchangeConfig] = {
    f"{version}, {name}": configured
    for version, two_way in (("from 8.09", True), ("below 8.09", False))
    for name, configured in (
        ("usual", setup(two_way=two_way)),
        ("no statuses", setup(two_way=two_way, coding=StatusCoding.NONE)),
        *((f"rule {one}", setup(two_way=two_way, rules=one_rule(one))) for one in Rule),
    )
}
AFTER = {
    f"{before} -> {now}": (before, now)
    for before, now in (
        ("from 8.09, usual", "below 8.09, usual"),
        ("below 8.09, usual", "from 8.09, usual"),
        ("from 8.09, usual", "below 8.09, rule ajera"),
    )
}


def key_of(table: SourceTable, row: Mapping[str, Value]) -> str:
    return table.key_text([row[column.name] for column in table.key_columns])


class Anybody(TwoSystems):
    """Both systems with rows of every table."""

    def __init__(self, configured: ExchangeConfig) -> None:
        super().__init__(seed=2)
        self.turns.deaths = 0
        self.configure(configured)
        self.live()

    def configure(self, configured: ExchangeConfig) -> None:
        self.setup = configured
        self.processes = [self._started(), self._started()]

    def live(self) -> None:
        """What people do to rows of each table, and that each event of it ends."""
        for table, row in ROWS:
            if key_of(table, row) not in self.keys(table):
                self.people[SIDES[table.name]].insert(table, **row)
        self.come_to_an_end()
        self.clock.wait(timedelta(hours=2))
        for table, row in ROWS:
            for column in (one.name for one in table.columns if one.name not in table.key):
                self.change(table, row, {column: None})
            self.change(table, row, row)
        self.come_to_an_end()
        for side in Side:
            self.topics.capture_again(side)
        self.come_to_an_end()
        for table, row in ROWS[::-1]:
            self.people[SIDES[table.name]].delete(table, key_of(table, row))
            self.people[SIDES[table.name]].insert(table, **row)
            self.come_to_an_end()

    def change(
        self, table: SourceTable, row: Mapping[str, Value], columns: Mapping[str, Value]
    ) -> None:
        values = {name: value for name, value in columns.items() if name not in table.key}
        self.people[SIDES[table.name]].edit(table, key_of(table, row), **values)

    def keys(self, table: SourceTable) -> list[str]:
        """Of the committed rows."""
        return [
            key_of(table, row) for row in self.people[SIDES[table.name]].database.rows(table.name)
        ]

    def come_to_an_end(self) -> None:
        """Every event of it."""
        self.topics.capture()
        self.settle()
        for part, events in self.topics.events.items():
            assert self.next[part] == len(events)


@pytest.mark.parametrize("configured", SETUPS.values(), ids=list(SETUPS))
def test_whatever_happens_to_a_row_of_any_table_ends(configured: ExchangeConfig) -> None:
    """Under each configuration."""
    Anybody(configured)


@pytest.mark.parametrize(("before", "now"), AFTER.values(), ids=list(AFTER))
def test_it_ends_also_where_another_configuration_went_before(before: str, now: str) -> None:
    """Whose pairs and parked work are there."""
    systems = Anybody(SETUPS[before])
    systems.configure(SETUPS[now])
    systems.live()
    assert systems.pairs.links()


@pytest.mark.parametrize("rule", [Rule.NEWEST, Rule.AJERA, Rule.MANUAL])
def test_a_rule_by_which_a_key_would_be_changed_is_refused(rule: Rule) -> None:
    """Before anything is read."""
    with pytest.raises(ProfileInvalid, match="would change the key of a row"):
        setup(rules={NUMBER: rule})
