"""Child rows with values, through the whole engine."""

from __future__ import annotations

from decimal import Decimal

from pipeline.mapping.site import ColumnPolicy, OverflowPolicy, Site, TargetNames
from pipeline.model.event import Event
from tests.support.engine import Consumer, ready
from tests.support.totals import TOTALS, changed
from tests.twins.target import MemoryTarget

FIRM = changed("Firm", 1, at=1, firmName="one")
ANN = changed("Person", 7, at=2, personFirm=1, personName="Ann", personRate=Decimal("1.5"))


def staff(target: MemoryTarget) -> list[tuple[object, ...]]:
    return [(row["Person ID"], row["Name"], row["Rate"]) for row in target.rows("Staff")]


def taken(target: MemoryTarget, *events: Event, site: Site | None = None) -> Consumer:
    consumer = Consumer(target, events, route=TOTALS, site=site)
    for one in events:
        consumer.take([one])
    return consumer


def test_a_value_that_changes_is_written_into_its_row_alone() -> None:
    """The other row is not written again."""
    target = ready(MemoryTarget(TOTALS))
    bob = changed("Person", 8, at=3, personFirm=1, personName="Bob", personRate=Decimal(2))
    taken(target, FIRM, ANN, bob)
    before = len(target.log)
    raised = changed("Person", 7, at=4, personFirm=1, personName="Ann", personRate=Decimal(3))
    taken(target, raised)
    assert staff(target) == [("p-7", "Ann", Decimal(3)), ("p-8", "Bob", Decimal(2))]
    assert len(target.log) == before + 1


def test_a_row_goes_with_its_source_row_to_another_parent() -> None:
    """Removed where it was, created where it is now."""
    target = ready(MemoryTarget(TOTALS))
    other = changed("Firm", 2, at=3, firmName="two")
    moved = changed("Person", 7, at=4, personFirm=2, personName="Ann", personRate=Decimal(3))
    taken(target, FIRM, ANN, other, moved)
    assert [row["Firm ID"] for row in target.rows("Staff")] == ["f-2"]
    taken(target, changed("Person", 7, "d", at=5))
    assert staff(target) == []


def test_child_rows_of_which_a_policy_refuses_one_stay_as_they_are_and_their_root_waits() -> None:
    """Without it they would lose a row; the others of the batch are written."""
    target = ready(MemoryTarget(TOTALS))
    policy = ColumnPolicy.model_validate({"too_long": OverflowPolicy.REFUSE})
    site = Site(target={"Staff": TargetNames(policies={"Name": policy})})
    long = changed("Person", 8, at=3, personFirm=1, personName="B" * 21)
    consumer = taken(target, FIRM, ANN, long, changed("Firm", 2, at=4), site=site)
    assert staff(target) == [("p-7", "Ann", Decimal("1.5"))]
    assert [row["Firm ID"] for row in target.rows("Totals")] == ["f-1", "f-2"]
    assert ("parked", "waiting") in consumer.telemetry.ended
    taken(target, changed("Person", 8, at=5, personFirm=1, personName="Bob"), site=site)
    assert [row[0] for row in staff(target)] == ["p-7", "p-8"]
