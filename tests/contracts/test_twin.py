"""The twin and the databases keep the same promises to the
engine (ports `Target` and `Transaction`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.engine.consumer.ports import Target
from pipeline.errors import (
    ConcurrentWrite,
    PipelineError,
    RowRejected,
    TargetBusy,
    TargetRefused,
)
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Value
from pipeline.model.ledger import LedgerRow, Mark, Progress, Waiting
from pipeline.model.outcome import RowCounts
from pipeline.model.position import TopicOffset, TopicPartition
from tests.support.events import NOON, event, ledger
from tests.twins.target import MemoryTarget

PATIENCE = 20.0
ODD = 'O\'Brien "Zoë" \\ 😀 [x] 漢字 :rows %s'
LATER = NOON + timedelta(minutes=1)
FLAG = "ever_vecIsClient"


def vec(key: int, **columns: Value) -> LedgerRow:
    """A ledger row of AxVec that was never written."""
    return ledger(event("AxVec", key, at=key, **columns))  # type: ignore[arg-type]


def write(target: Target, *rows: LedgerRow) -> None:
    with target.transaction() as transaction:
        transaction.write_rows(rows)


def read(target: Target, key: str) -> LedgerRow:
    with target.transaction() as transaction:
        (row,) = transaction.rows_by_key("AxVec", [key])
    return row


def organization(key: str, **values: Value) -> TargetRow:
    return TargetRow("Organization", (key,), {"Name": "n", **values})


def upsert(target: Target, table: str, *rows: TargetRow) -> RowCounts:
    with target.transaction() as transaction:
        return transaction.upsert(table, rows)


def due(target: Target) -> list[Mark]:
    with target.transaction() as transaction:
        return transaction.due(1000, set_before=LATER, waiting_before=LATER)


def beside(call: Callable[[], object]) -> Callable[[], object]:
    """Begin a call in a thread of its own; what is returned waits for its end,
    and raises what it raised.
    """
    with_thread = ThreadPoolExecutor(max_workers=1)
    future = with_thread.submit(call)
    with_thread.shutdown(wait=False)
    return lambda: future.result(PATIENCE)


# -- transactions ----------------------------------------------------------------------------------


def test_a_refused_write_commits_nothing(target: Target) -> None:
    """Ledger, mark and target row written before a refused row are gone with it."""

    def refused() -> None:
        with target.transaction() as transaction:
            transaction.write_rows([vec(1)])
            transaction.mark([Mark("AxVec", "1", 1)], NOON)
            transaction.upsert("Organization", [organization("cl-1")])
            transaction.upsert(
                "Organization",
                [organization("cl-2", **{"Post Code": "x" * 21})],
            )

    with pytest.raises(RowRejected):
        refused()
    with target.transaction() as transaction:
        assert transaction.rows_by_key("AxVec", ["1"]) == []
        assert transaction.marks_of([("AxVec", "1")]) == []
        assert transaction.existing("Organization", ["cl-1", "cl-2"]) == set()


def test_a_transaction_whose_statement_failed_commits_nothing_though_the_error_was_caught(
    target: Target,
) -> None:
    """Who swallows a refusal and goes on has still written nothing."""
    with target.transaction() as transaction:
        transaction.upsert("Organization", [organization("cl-1")])
        with pytest.raises(RowRejected):
            transaction.upsert(
                "Contact",
                [TargetRow("Contact", ("co-1",), {"Organization ID": "cl-9"})],
            )
        with pytest.raises(PipelineError):
            transaction.existing("Organization", ["cl-1"])
    with target.transaction() as transaction:
        assert transaction.existing("Organization", ["cl-1"]) == set()


def test_empty_input_is_no_work(target: Target) -> None:
    """Every method takes nothing and answers nothing."""
    with target.transaction() as transaction:
        transaction.write_rows([])
        transaction.mark([], NOON)
        transaction.clear([])
        transaction.wait([], NOON)
        transaction.advance({}, NOON)
        assert transaction.lock_rows("AxVec", []) == {}
        assert transaction.rows_by_key("AxVec", []) == []
        assert transaction.rows_where("AxContact", "organization", [None]) == []
        assert transaction.existing("Organization", []) == set()
        assert transaction.holders("Project", "Project Code", []) == {}
        assert transaction.create_missing("Role_Type", []) == 0
        assert transaction.upsert("Organization", []) == RowCounts()
        assert transaction.replace_children("Project_Contact", {}) == RowCounts()
        assert transaction.progress([]) == {}
        assert transaction.marks_of([]) == []


# -- ledger and mirror -----------------------------------------------------------------------------


def test_a_ledger_row_comes_back_as_it_was_written(target: Target) -> None:
    """Odd texts, the greatest integer, null, unknown columns and the commit time keep their form;
    a NUL is left out.
    """
    row = replace(
        vec(2**63 - 1, vecDescription=ODD, vecFax="a\x00b", vecIsClient=True),
        unknown=frozenset({"vecZip", "vecCity"}),
        committed_at=NOON + timedelta(microseconds=1),
        place=TopicOffset(3, 2, 2**63 - 1),
    )
    write(target, row)
    assert read(target, row.key) == replace(row, values={**row.values, "vecFax": "ab"}, revision=1)


def test_a_row_that_changed_meanwhile_is_not_written(
    target: Target,
) -> None:
    """A revision that is not the stored one, or a new row that is there already,
    is a concurrent write.
    """
    write(target, vec(1))
    held = read(target, "1")
    write(target, held)
    for stale in (held, vec(1)):
        with pytest.raises(ConcurrentWrite):
            write(target, stale)
    assert read(target, "1").revision == 2


def test_more_rows_than_one_statement_takes_are_all_written(
    target: Target,
) -> None:
    """A batch larger than any dialect's statement is written and read whole."""
    rows = [vec(key) for key in range(1, 5_502)]
    write(target, *rows)
    with target.transaction() as transaction:
        assert len(transaction.lock_rows("AxVec", [row.key for row in rows])) == len(rows)
        assert transaction.mark_table("AxVec", 7, NOON) == len(rows)
        assert len(transaction.due(10_000, set_before=LATER, waiting_before=NOON)) == len(rows)


def test_the_rows_of_a_table_in_which_a_flag_is_set_are_marked_alone(target: Target) -> None:
    """A map's roots, and no row that it does not take."""
    flagged = [replace(vec(key), values={**vec(key).values, FLAG: key == 2}) for key in (1, 2, 3)]
    write(target, *flagged)
    with target.transaction() as transaction:
        assert transaction.mark_table("AxVec", 7, NOON, only_if=FLAG) == 1
        assert transaction.due(10, set_before=LATER, waiting_before=NOON) == [Mark("AxVec", "2", 7)]


def test_a_setting_is_kept_under_its_name(target: Target) -> None:
    """Read in the transaction that wrote it, and after it."""
    with target.transaction() as transaction:
        assert transaction.setting("one") is None
        transaction.set_setting("one", "1")
        transaction.set_setting("two", "2")
        transaction.set_setting("one", "3")
        assert transaction.setting("one") == "3"
    with target.transaction() as transaction:
        assert (transaction.setting("one"), transaction.setting("two")) == ("3", "2")


def test_rows_are_found_by_a_mirrored_value(target: Target) -> None:
    """Null is no value to be found by, and zero is one."""
    groups = [
        ledger(event("AxInvoiceGroup", key, igProject=of))
        for key, of in ((1, 5), (2, 0), (3, None))
    ]
    write(target, *groups)
    with target.transaction() as transaction:
        found = transaction.rows_where("AxInvoiceGroup", "igProject", [5, 0, 0, None, 6])
    assert sorted(row.key for row in found) == ["1", "2"]


def test_rows_of_an_older_epoch_are_unseen_unless_deleted(
    target: Target,
) -> None:
    """The sweep is given what exists and is older, by key, up to its limit."""
    write(
        target,
        *(replace(vec(key), epoch=epoch, deleted=gone) for key, epoch, gone in _SWEPT),
    )
    with target.transaction() as transaction:
        assert [row.key for row in transaction.unseen("AxVec", 2, 10)] == [
            "1",
            "4",
        ]
        assert [row.key for row in transaction.unseen("AxVec", 2, 1)] == ["1"]


_SWEPT = ((1, 1, False), (2, 2, False), (3, 1, True), (4, 0, False))


# -- marks -----------------------------------------------------------------------------------------


def test_a_newer_mark_is_never_cleared(target: Target) -> None:
    """Clearing names the number that was read."""
    old, new = Mark("AxVec", "1", 1), Mark("AxVec", "1", 2)
    with target.transaction() as transaction:
        transaction.mark([old], NOON)
        transaction.mark([new], NOON)
        transaction.clear([old])
    assert due(target) == [new]
    with target.transaction() as transaction:
        transaction.clear([new])
    assert due(target) == []


def test_a_mark_that_waits_is_due_when_it_was_last_tried_long_ago(
    target: Target,
) -> None:
    """A waiting mark goes by the time of its last try, is counted,
    and begins anew when it is set again.
    """
    mark = Mark("AxVec", "1", 5)
    with target.transaction() as transaction:
        transaction.mark([mark], NOON)
        transaction.wait([Waiting(mark, "row.missing", "waits" * 200)], LATER)
        assert transaction.due(9, set_before=LATER + timedelta(1), waiting_before=LATER) == []
        assert transaction.due(9, set_before=NOON, waiting_before=LATER + timedelta(1)) == [mark]
        assert transaction.waiting_count() == 1
        transaction.mark([replace(mark, number=6)], LATER)
        assert transaction.waiting_count() == 0


def test_a_wait_for_an_older_number_leaves_a_newer_mark_alone(
    target: Target,
) -> None:
    """Number 0 stands for whichever is set; a mark that is not set is set."""
    with target.transaction() as transaction:
        transaction.mark([Mark("AxVec", "1", 2)], NOON)
        transaction.wait([Waiting(Mark("AxVec", "1", 1), "row.missing", "r")], NOON)
        assert transaction.waiting_count() == 0
        transaction.wait(
            [Waiting(Mark("AxVec", key), "row.missing", "r") for key in ("1", "2")],
            NOON,
        )
        assert transaction.waiting_count() == 2
        assert transaction.marks_of([("AxVec", "1")]) == [Mark("AxVec", "1", 2)]


# -- target rows -----------------------------------------------------------------------------------


def test_an_upsert_counts_what_it_created_changed_and_left(
    target: Target,
) -> None:
    """A row that holds its values already is not touched; an absent column stays,
    a null is written.
    """
    assert upsert(target, "Organization", organization("cl-1", Address=ODD)) == RowCounts(created=1)
    assert upsert(target, "Organization", organization("cl-1")) == RowCounts(unchanged=1)
    assert upsert(target, "Organization", organization("cl-1", Address=ODD)) == RowCounts(
        unchanged=1
    )
    assert upsert(target, "Organization", organization("cl-1", Address=None)) == RowCounts(
        changed=1
    )
    both = (organization("cl-1", Address=None), organization("cl-2"))
    assert upsert(target, "Organization", *both) == RowCounts(created=1, unchanged=1)


def test_a_prefilled_column_is_written_only_when_the_row_is_created(
    target: Target,
) -> None:
    """What a person types over it stays."""
    made = TargetRow("Contact", ("em-1",), {"Forename": "A"}, {"Title": "-"})
    assert upsert(target, "Contact", made) == RowCounts(created=1)
    assert upsert(
        target, "Contact", replace(made, values={"Title": "Dr"}, prefill={})
    ) == RowCounts(changed=1)
    assert upsert(target, "Contact", made) == RowCounts(unchanged=1)
    assert upsert(
        target, "Contact", replace(made, values={"Title": "Dr"}, prefill={})
    ) == RowCounts(unchanged=1)


def test_a_row_without_a_required_column_can_only_be_changed(
    target: Target,
) -> None:
    """Where there is none, nothing is created."""
    part = TargetRow("Organization", ("cl-1",), {"Address": "a"})
    with pytest.raises(TargetRefused):
        upsert(target, "Organization", part)
    upsert(target, "Organization", organization("cl-1"))
    assert upsert(target, "Organization", part) == RowCounts(changed=1)


def test_a_unique_value_is_held_by_one_row(target: Target) -> None:
    """A second holder is a concurrent write; who holds it can be asked."""
    with target.transaction() as transaction:
        transaction.create_missing("Project_Status", [{"Name": "Active", "Completed": False}])
        assert (
            transaction.create_missing("Project_Status", [{"Name": "Active", "Completed": True}])
            == 0
        )
        transaction.upsert("Project", [_project("1", "P-1")])
        assert transaction.holders("Project", "Project Code", ["P-1", "P-2"]) == {"P-1": "1"}
    with pytest.raises(ConcurrentWrite):
        upsert(target, "Project", _project("2", "P-1"))


def _project(key: str, code: str) -> TargetRow:
    return TargetRow(
        "Project",
        (key,),
        {"Project Code": code, "Name": "n", "Status": "Active"},
    )


def test_replacing_children_leaves_rows_of_others(target: Target) -> None:
    """Only rows that we made go; a row that was there before us stays somebody else's."""
    theirs, ours = (TargetRow("Project_Contact", ("1", "PM", f"em-{n}"), {}) for n in (1, 2))
    with target.transaction() as transaction:
        transaction.create_missing("Project_Status", [{"Name": "Active"}])
        transaction.create_missing("Role_Type", [{"Name": "PM"}])
        transaction.upsert(
            "Contact",
            [TargetRow("Contact", (f"em-{n}",), {"Forename": "A"}) for n in (1, 2)],
        )
        transaction.upsert("Project", [_project("1", "P-1")])
        names = ("Project ID", "Role Type", "Contact ID")
        transaction.create_missing("Project_Contact", [dict(zip(names, theirs.key, strict=True))])
    with target.transaction() as transaction:
        first = transaction.replace_children("Project_Contact", {"1": [theirs, ours]})
        again = transaction.replace_children("Project_Contact", {"1": [theirs, ours]})
        gone = transaction.replace_children("Project_Contact", {"1": []})
        last = transaction.replace_children("Project_Contact", {"1": [theirs, ours]})
    assert first == last == RowCounts(created=1, unchanged=1)
    assert again == RowCounts(unchanged=2)
    assert gone == RowCounts(changed=1)


# -- progress, incarnations, loading ---------------------------------------------------------------


def test_counts_are_added_and_offsets_are_set(target: Target) -> None:
    """Dead letters in a row are set, like the offset."""
    place = TopicPartition("t", 0)
    with target.transaction() as transaction:
        assert transaction.advance({place: Progress(1, 9, 5, 1, 1, 1, 2, 3)}, NOON)[place] == 5
        assert transaction.advance({place: Progress(1, 4, 5, 2, 1, 1, 1, 0)}, NOON)[place] == 10
        assert transaction.progress([place, TopicPartition("t", 1)]) == {
            place: Progress(1, 4, 10, 3, 2, 2, 3, 0)
        }


def test_incarnations_are_numbered_over_all_topics(target: Target) -> None:
    """Seen again is the same number; made anew, or grown, is a new one."""
    with target.transaction() as transaction:
        seen = [
            transaction.incarnation(*one)
            for one in (
                ("a", "x", 1),
                ("b", "x", 1),
                ("a", "x", 1),
                ("a", "y", 1),
            )
        ]
        assert seen == [1, 2, 1, 3]
        assert set(transaction.incarnations("a")) == {1, 3}


def test_a_table_is_loaded_when_every_partition_was_read_to_its_end(
    target: Target,
) -> None:
    """The first to name the ends wins; one process alone makes it loaded."""
    with target.transaction() as transaction:
        number = transaction.incarnation("t", "x", 2)
        assert transaction.loading(1)["AxVec"] == "unknown"
        transaction.set_load_ends("t", "AxVec", 1, {0: 5, 1: 0})
        transaction.set_load_ends("t", "AxVec", 1, {0: 99, 1: 99})
        assert transaction.loading(1)["AxVec"] == "reading"
        assert transaction.read_to_end() == {}
        transaction.advance({TopicPartition("t", 0): Progress(number, 5)}, NOON)
        assert transaction.read_to_end() == {"AxVec": 1}
        assert [
            transaction.set_loaded("AxVec", 1),
            transaction.set_loaded("AxVec", 1),
        ] == [True, False]
        assert transaction.loaded() == {"AxVec"}
        assert "AxVec" not in transaction.loading(1)
        assert transaction.loading(2)["AxVec"] == "unknown"


def test_a_topic_made_anew_has_no_load_end(target: Target) -> None:
    """What the old one's end was says nothing of the new one."""
    with target.transaction() as transaction:
        transaction.incarnation("t", "x", 1)
        transaction.set_load_ends("t", "AxVec", 1, {0: 0})
        transaction.incarnation("t", "y", 1)
        assert transaction.loading(1)["AxVec"] == "unknown"
        assert transaction.read_to_end() == {}


# -- two transactions ------------------------------------------------------------------------------


def test_what_was_found_not_loaded_stays_so_until_the_transaction_ends(
    target: Target,
) -> None:
    """Who makes a table loaded waits for everybody who took it for not loaded,
    and sees what they noted; they share the hold.
    """
    with target.transaction() as transaction:
        transaction.set_load_ends("t", "AxVec", 1, {})
    order: list[str] = []

    def finish() -> None:
        with target.transaction() as finishing:
            assert finishing.set_loaded("AxVec", 1)
            order.append("loaded")

    with target.transaction() as one, target.transaction() as other:
        assert one.loaded() == other.loaded() == frozenset()
        finisher = threading.Thread(target=finish)
        finisher.start()
        finisher.join(0.5)
        order.append("read")
    finisher.join(PATIENCE)
    assert order == ["read", "loaded"]
    with target.transaction() as transaction:
        assert transaction.loaded() == {"AxVec"}


def test_a_locked_row_is_waited_for_and_then_read_anew(
    target: Target,
) -> None:
    """Who waited for a lock sees what its holder wrote."""
    write(target, vec(1))
    begun = threading.Event()

    def second() -> int:
        with target.transaction() as transaction:
            begun.set()
            return transaction.lock_rows("AxVec", ["1"])["1"].revision

    with target.transaction() as transaction:
        held = transaction.lock_rows("AxVec", ["1"])["1"]
        finish = beside(second)
        assert begun.wait(PATIENCE)
        transaction.write_rows([held])
    assert finish() == 2


def test_a_deadlock_ends_one_of_the_two_as_busy(target: Target) -> None:
    """Two that lock two rows in opposite orders: one is told to try again, the other goes on."""
    write(target, vec(1), vec(2))
    both_hold = threading.Barrier(2)

    def lock(first: str, then: str) -> str:
        try:
            with target.transaction() as transaction:
                transaction.lock_rows("AxVec", [first])
                both_hold.wait(PATIENCE)
                transaction.lock_rows("AxVec", [then])
        except TargetBusy:
            return "busy"
        return "done"

    finish = beside(lambda: lock("1", "2"))
    assert sorted([lock("2", "1"), str(finish())]) == ["busy", "done"]


def test_a_mark_set_anew_while_a_clear_waits_for_it_stays(
    target: Target,
) -> None:
    """The number is compared again once the lock is held."""
    old, new = Mark("AxVec", "1", 1), Mark("AxVec", "1", 2)
    with target.transaction() as transaction:
        transaction.mark([old], NOON)
    begun = threading.Event()

    def clear() -> None:
        with target.transaction() as transaction:
            begun.set()
            transaction.clear([old])

    with target.transaction() as transaction:
        transaction.mark([new], NOON)
        finish = beside(clear)
        assert begun.wait(PATIENCE)
        until_one_waits(target)
    finish()
    assert due(target) == [new]


def until_one_waits(target: Target) -> None:
    """The twin can tell that a transaction waits for a lock; a database is not asked."""
    deadline = time.monotonic() + PATIENCE
    while isinstance(target, MemoryTarget) and target.locks.waiting == 0:
        assert time.monotonic() < deadline, "nobody waits for a lock"
