"""What people change in columns that the route owns is put back, and counted; what they write in
their own is left alone, and our own writing coming back costs nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pytest

from pipeline.conflicts.conflict import Kind
from pipeline.conflicts.rules import Side
from pipeline.mapping.table import ChildRows, Column
from pipeline.model.event import Heartbeat, Operation, Value
from pipeline.model.position import TopicOffset, TopicPartition
from tests.support.engine import Consumer, topic_of
from tests.support.office import Office, group, project
from tests.support.tabs import LEAD, MAPPING, OBSERVED, PROJECT, TABS, TEAM

WHOLE = ("P-1", " ", " ")
MADE = TEAM.made_id(("P-1", "5", LEAD))
OWNED = {"AjeraName": "Hill", "AjeraGroups": 1}


@pytest.fixture
def office() -> Office:
    """Project 1 is P-1, with one row in its team; all of it was written, and came back."""
    office = Office()
    office.people_write(PROJECT.name, *WHOLE, Memo="theirs")
    office.people_write(PROJECT.name, "P-1", "1", " ", Memo="phase")
    office.link(1, "P-1")
    office.take(project(1, 1, "Hill"), group(5, 2, 1, client=8))
    office.drain()
    office.deliver()
    return office


def held(office: Office) -> Mapping[str, Value]:
    return office.rows(PROJECT.name)[WHOLE]


def test_our_own_writing_that_comes_back_recomputes_nothing(office: Office) -> None:
    """Nor does a row of a phase, or one that people made; each ends as an echo, or filtered."""
    assert held(office) == OWNED | {"Memo": "theirs"}
    office.take(project(1, 3, "Bay"))
    office.people_write(PROJECT.name, "P-1", "1", " ", AjeraName="phase")
    writes = len(office.target.log)
    consumer = office.deliver()
    assert consumer.telemetry.ended == {("skipped", "echo"): 1, ("skipped", "filtered"): 1}
    with office.target.transaction() as transaction:
        assert transaction.marks_of([("AxProject", "1")]) == []
    assert len(office.target.log) == writes
    assert office.edits == {}


def test_a_persons_edit_of_a_column_that_we_own_is_put_back_and_counted_once(
    office: Office,
) -> None:
    """By its event; what comes back of it is an echo. A column of theirs in the same row stays."""
    office.people_write(PROJECT.name, *WHOLE, AjeraName="mine", Memo="mine")
    consumer = office.deliver()
    assert consumer.telemetry.ended == {("written", ""): 1}
    assert held(office) == OWNED | {"Memo": "mine"}
    assert office.edits == Counter({(PROJECT.name, "AjeraName"): 1})
    assert office.deliver().telemetry.ended == {("skipped", "echo"): 1}
    assert office.edits.total() == 1


def test_what_is_put_back_is_in_the_conflict_log_as_owned_by_ajera(office: Office) -> None:
    """Once, with what the person typed; a row of the team that was deleted, too."""
    office.people_write(PROJECT.name, *WHOLE, AjeraName="mine", Memo="mine")
    office.people_delete(TEAM.name, MADE)
    office.deliver()
    office.deliver()
    logged = {one.column: one for one in office.pairs.conflicts()}
    assert len(office.pairs.conflicts()) == 2
    name, row = logged[f"{PROJECT.name}.AjeraName"], logged[f"{TEAM.name}.{TEAM.row_id}"]
    assert (name.link, name.kind, name.winner) == ("1-P-1", Kind.OWNED_PUT_BACK, Side.AJERA)
    assert (name.ajera, name.dps) == ("Hill", "mine")
    assert (row.link, row.ajera, row.dps) == ("1-P-1", MADE, None)


def test_an_edit_of_a_column_that_people_own_recomputes_nothing(office: Office) -> None:
    """Its event holds what we wrote last in ours."""
    office.people_write(PROJECT.name, *WHOLE, Memo="mine")
    assert office.deliver().telemetry.ended == {("skipped", "echo"): 1}
    assert held(office)["Memo"] == "mine"


def test_an_edit_is_found_under_the_lock_before_its_event_comes_and_counted_once(
    office: Office,
) -> None:
    """The project changes in Ajera meanwhile; the event that comes then costs a recompute."""
    office.people_write(PROJECT.name, *WHOLE, AjeraName="mine")
    office.take(project(1, 3, "Bay"))
    assert held(office)["AjeraName"] == "Bay"
    assert office.edits == Counter({(PROJECT.name, "AjeraName"): 1})
    office.deliver()
    assert office.edits.total() == 1


def test_an_old_echo_costs_a_recompute_and_is_no_edit(office: Office) -> None:
    """Two writes of ours before the first comes back; and everything once more, after a rewind."""
    for at, name in ((3, "Bay"), (4, "Sea")):
        office.take(project(1, at, name))
    writes = len(office.target.log)
    for one in office.captured():
        office.take(one)
    assert len(office.target.log) == writes
    assert office.edits == {}
    assert held(office)["AjeraName"] == "Sea"


def test_an_old_echo_that_stands_in_another_partition_hides_no_edit(office: Office) -> None:
    """The topic was made anew with other partitions: places of two are in no order."""
    (echo,) = [one for one in office.captured() if one.row.get("AjeraGroups") == 1][-1:]
    office.people_write(PROJECT.name, *WHOLE, AjeraName="mine")
    (edit,) = office.captured(office.delivered)
    office.take(edit, replace(echo, place=TopicOffset(2, 1, 7)))
    assert held(office)["AjeraName"] == "Hill"


def test_who_types_what_ajera_says_by_now_is_not_put_back(office: Office) -> None:
    """Nothing of theirs is overwritten."""
    office.people_write(PROJECT.name, *WHOLE, AjeraName="Bay")
    office.take(project(1, 3, "Bay"))
    office.deliver()
    assert office.edits == {}


def test_what_a_row_held_before_we_wrote_it_first_is_no_edit(office: Office) -> None:
    """Nor are events of it, until then."""
    office.people_write(PROJECT.name, "P-2", " ", " ", AjeraName="old", AjeraGroups=7)
    assert office.deliver().telemetry.ended == {("skipped", "filtered"): 1}
    office.take(project(2, 3, "Bay"))
    office.link(2, "P-2")
    office.drain()
    assert office.rows(PROJECT.name)["P-2", " ", " "]["AjeraName"] == "Bay"
    assert office.edits == {}


@pytest.mark.parametrize("edit", [{"Hours": 1}, {"Employee": "9"}, {"WBS1": "P-9"}, {"WBS2": "1"}])
def test_a_row_of_the_team_is_put_back_whatever_was_changed_in_it(
    office: Office, edit: Mapping[str, Value]
) -> None:
    """Its key, too; a person's notes stay."""
    before = office.rows(TEAM.name)
    office.people_write(TEAM.name, MADE, **edit, RoleDescription="mine")
    office.deliver()
    assert office.rows(TEAM.name) == {(MADE,): {**before[(MADE,)], "RoleDescription": "mine"}}
    assert office.edits == Counter({(TEAM.name, column): 1 for column in edit})
    assert office.deliver().telemetry.ended == {("skipped", "echo"): 1}


def test_a_row_of_the_team_that_a_person_deleted_is_made_again_and_counted(
    office: Office,
) -> None:
    """Its event has nothing but its id. One that is deleted because it is not wanted is no edit."""
    before = office.rows(TEAM.name)
    office.people_delete(TEAM.name, MADE)
    office.deliver()
    assert office.rows(TEAM.name) == before
    assert office.edits == Counter({(TEAM.name, TEAM.row_id): 1})
    office.take(group(5, 3, 2))
    assert office.rows(TEAM.name) == {}
    assert office.deliver().telemetry.ended == {
        ("skipped", "superseded"): 1,
        ("skipped", "filtered"): 1,
        ("skipped", "echo"): 1,
    }
    assert office.edits.total() == 1


def test_rows_that_a_snapshot_reads_are_compared_likewise(office: Office) -> None:
    """What people changed while nobody captured is put back; the rest is an echo."""
    office.people_write(PROJECT.name, *WHOLE, AjeraGroups=None)
    newest = {one.key: one for one in office.captured()}.values()
    reads = [
        replace(one, operation=Operation.READ, position="", snapshot_ended=False) for one in newest
    ]
    consumer = office.take(*sorted(reads, key=lambda one: one.place.offset))
    assert held(office) == OWNED | {"Memo": "theirs"}
    assert consumer.telemetry.ended == {
        ("written", ""): 1,
        ("skipped", "echo"): 1,
        ("skipped", "filtered"): 1,
    }
    assert office.edits == Counter({(PROJECT.name, "AjeraGroups"): 1})


def test_who_dies_between_the_two_transactions_leaves_a_mark_that_others_finish(
    office: Office,
) -> None:
    """The event of an edit is not read again: it has no ledger."""
    office.people_write(PROJECT.name, *WHOLE, AjeraName="mine")
    office.stage(*office.captured(office.delivered))
    office.drain()
    assert held(office)["AjeraName"] == "Hill"
    assert office.edits.total() == 1


def test_a_row_whose_link_ended_is_peoples(office: Office) -> None:
    """What they change there stays, and is no edit when the pair is exchanged again."""
    office.end(1, "P-1")
    office.drain()
    office.people_write(PROJECT.name, *WHOLE, AjeraName="mine")
    office.people_write(TEAM.name, MADE, Hours=1)
    consumer = office.deliver()
    assert consumer.telemetry.ended == {("skipped", "filtered"): 2}
    assert held(office)["AjeraName"] == "mine"
    office.link(1, "P-1")
    office.drain()
    assert held(office)["AjeraName"] == "Hill"
    assert office.edits == {}


def test_a_project_that_others_delete_and_make_again_is_a_new_row(office: Office) -> None:
    """Its columns are written, and what it did not hold is no edit."""
    with office.people.transaction() as transaction:
        transaction.remove(PROJECT.name, *WHOLE)
    office.deliver()
    office.people_write(PROJECT.name, *WHOLE, Memo="anew")
    office.take(project(1, 3, "Hill 2"))
    assert held(office) == {"AjeraName": "Hill 2", "AjeraGroups": 1, "Memo": "anew"}
    assert office.edits == {}


def test_a_row_that_another_project_has_by_now_is_compared_with_what_was_written_last(
    office: Office,
) -> None:
    """Whichever wrote it; and its events lead to the one that it belongs to."""
    office.take(project(2, 3, "Bay"))
    office.end(1, "P-1")
    office.link(2, "P-1")
    office.drain()
    office.deliver()
    assert office.edits == {}
    office.people_write(PROJECT.name, *WHOLE, AjeraName="mine")
    office.deliver()
    assert held(office)["AjeraName"] == "Bay"
    assert office.edits == Counter({(PROJECT.name, "AjeraName"): 1})


def test_what_the_other_system_says_of_its_snapshots_ends_none_of_ours(office: Office) -> None:
    """Its epoch is the newer one: rows of ours that are of an older one would be swept."""
    consumer = Consumer(office.target, (), clock=office.clock, route=TABS, observed=("dps.beat",))
    consumer.incarnations["dps.beat"] = 1
    consumer.prepare(TopicPartition("dps.beat", 0), 0, Heartbeat(9))
    assert consumer.beat("dps.beat").snapshot_ended == 0
    other = Consumer(office.target, (), clock=office.clock, route=TABS)
    other.incarnations["ajera.beat"] = 1
    other.prepare(TopicPartition("ajera.beat", 0), 0, Heartbeat(9))
    assert other.beat("ajera.beat").snapshot_ended == 9
    events = [replace(one, epoch=9) for one in office.captured()]
    topics = tuple(topic_of(one.table.name) for one in OBSERVED)
    seen = Consumer(office.target, events, clock=office.clock, route=TABS, observed=topics)
    assert seen.take(events).snapshot_ended == 0


def test_a_column_that_is_switched_off_is_peoples(office: Office) -> None:
    """What they type there meanwhile is no edit when it is switched on again."""
    columns = tuple(one for one in PROJECT.columns if one.name != "AjeraName")
    office.route = replace(
        TABS,
        targets=(replace(PROJECT, columns=columns), TEAM),
        mappings=(replace(MAPPING, lines=MAPPING.lines[1:]),),
    )
    office.people_write(PROJECT.name, *WHOLE, AjeraName="mine")
    assert office.deliver().telemetry.ended == {("skipped", "echo"): 1}
    office.take(group(6, 3, 1, client=9))
    assert held(office) == {"AjeraName": "mine", "AjeraGroups": 2, "Memo": "theirs"}
    office.route = TABS
    office.take(project(1, 4, "Bay"))
    assert held(office)["AjeraName"] == "Bay"
    assert office.edits == {}


def test_a_column_that_is_written_must_be_captured() -> None:
    """Else nobody would see that a person changed it."""
    line = Column("prjDescription", "Memo")
    with pytest.raises(ValueError, match="PR is captured without Memo"):
        replace(TABS, mappings=(replace(MAPPING, lines=(*MAPPING.lines, line)),))
    (child,) = MAPPING.children
    with_notes: ChildRows = replace(child, values=(*child.values, ("RoleDescription", "words")))
    with pytest.raises(ValueError, match="EMProjectAssoc is captured without RoleDescription"):
        replace(TABS, mappings=(replace(MAPPING, children=(with_notes,)),))
    team = replace(OBSERVED[1], table=replace(OBSERVED[1].table, key=("WBS1",)))
    with pytest.raises(ValueError, match="EMProjectAssoc is captured without its key"):
        replace(TABS, observed=(team,))
    with pytest.raises(ValueError, match="PR: ajera is the source of tabs"):
        replace(TABS, observed=(replace(OBSERVED[0], system="ajera"),))


def test_what_is_read_of_the_other_system_is_told_beside_the_source() -> None:
    """What its connector captures follows from it, as for any route."""
    assert {system: [one.name for one in tables] for system, tables in TABS.reads.items()} == {
        "ajera": ["AxProject", "AxInvoiceGroup"],
        "dps": ["PR", "EMProjectAssoc"],
    }
