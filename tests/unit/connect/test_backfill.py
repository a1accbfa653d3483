"""How far backfills are, by what Debezium notifies; its notifications are those that were seen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.connect.backfill import Backfill, BackfillState, Notice, Requested, follow, notice_of

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
MILLISECONDS = int(AT.timestamp() * 1000)


def asked(number: str, table: str = "AxVec", rows: int = 3000) -> Requested:
    return Requested(number, table, f"public.{table}", "every row", rows, 1024, AT, "jo@host")


def told(number: str, kind: str, **more: str) -> Notice:
    value = {
        "id": number,
        "type": kind,
        "aggregate_type": "Incremental Snapshot",
        "additional_data": {"connector_name": "ajera", **more},
        "timestamp": MILLISECONDS,
    }
    found = notice_of(value)
    assert found is not None
    return found


def started(number: str) -> Notice:
    return told(number, "STARTED", data_collections="public.AxVec")


def chunk(number: str, table: str = "public.AxVec") -> Notice:
    return told(number, "IN_PROGRESS", current_collection_in_progress=table)


def scanned(
    number: str, table: str = "public.AxVec", status: str = "SUCCEEDED", rows: int = 3000
) -> Notice:
    return told(
        number,
        "TABLE_SCAN_COMPLETED",
        scanned_collection=table,
        status=status,
        total_rows_scanned=str(rows),
    )


def states(found: list[Backfill]) -> list[tuple[str, int | None]]:
    return [(one.state.value, one.rows_read) for one in found]


def test_a_backfill_waits_is_read_in_chunks_and_is_over() -> None:
    """The rows of whole chunks, never more than there were."""
    notices: list[Notice] = []
    seen = [states(follow([asked("a")], notices))[0]]
    for notice in (
        *(started("a"), chunk("a"), chunk("a"), chunk("a")),
        *(scanned("a"), told("a", "COMPLETED")),
    ):
        notices.append(notice)
        seen += states(follow([asked("a")], notices))
    assert seen == [
        ("waiting", None),
        ("reading", 0),
        ("reading", 1024),
        ("reading", 2048),
        ("reading", 3000),
        ("read", 3000),
        ("read", 3000),
    ]


def test_a_table_without_rows_is_read() -> None:
    """There is no chunk of it."""
    notices = [started("a"), scanned("a", status="EMPTY", rows=0)]
    assert states(follow([asked("a", rows=0)], notices)) == [("read", 0)]


@pytest.mark.parametrize("word", ["SQL_EXCEPTION", "UNKNOWN_SCHEMA", "NO_PRIMARY_KEY"])
def test_a_scan_that_did_not_succeed_is_a_failure_with_debeziums_word(word: str) -> None:
    """Debezium says COMPLETED all the same."""
    notices = [started("a"), scanned("a", status=word, rows=0), told("a", "COMPLETED")]
    (found,) = follow([asked("a")], notices)
    assert (found.state, found.why) == (BackfillState.FAILED, word)


@pytest.mark.parametrize("end", ["COMPLETED", "ABORTED"])
def test_an_end_without_a_scan_that_succeeded_is_a_stop(end: str) -> None:
    """So it is after `backfill stop`: what was read is not everything."""
    found = follow([asked("a")], [started("a"), chunk("a"), told("a", end)])
    assert states(found) == [("stopped", 1024)]


def test_two_that_overlap_are_followed_by_their_tables() -> None:
    """From the second signal on, every notification has its id."""
    both = [asked("a"), asked("b", "AxContact", 49)]
    notices = [
        *(started("a"), chunk("a"), chunk("b"), scanned("b")),
        chunk("b", "public.AxContact"),
    ]
    assert states(follow(both, notices)) == [("read", 3000), ("reading", 49)]
    notices += [scanned("b", "public.AxContact", rows=49), told("b", "COMPLETED")]
    assert states(follow(both, notices)) == [("read", 3000), ("read", 49)]


def test_an_earlier_backfill_of_the_table_is_not_taken_for_the_newer_one() -> None:
    """The newer one is read when its own scan is over."""
    both = [asked("a"), asked("b")]
    notices = [started("a"), scanned("a"), told("a", "COMPLETED"), started("b")]
    assert states(follow(both, notices)) == [("read", 3000), ("reading", 0)]


def test_a_pause_is_shown_and_ends() -> None:
    """Somebody may have asked Debezium for it."""
    notices = [started("a"), told("a", "PAUSED")]
    assert follow([asked("a")], notices)[0].state is BackfillState.PAUSED
    notices.append(told("a", "RESUMED"))
    assert follow([asked("a")], notices)[0].state is BackfillState.READING


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"aggregate_type": "Initial Snapshot", "type": "COMPLETED", "id": "a"},
    ],
)
def test_a_notification_about_something_else_is_none(value: dict[str, Any]) -> None:
    """The first snapshot notifies, too."""
    assert notice_of(value) is None


def test_somebody_elses_signal_changes_nothing_of_ours() -> None:
    """Its table may be ours."""
    notices = [started("x"), scanned("x"), told("x", "COMPLETED")]
    assert states(follow([asked("a")], notices)) == [("waiting", None)]
