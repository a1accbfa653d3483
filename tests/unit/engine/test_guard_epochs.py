"""Epochs in the guard: a source captured anew sorts above everything before,
and its old backlog below.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pipeline.domain.pim_mirror import AX_CONTACT, AX_VEC
from pipeline.engine.projection import guard
from pipeline.model import applied
from pipeline.model.position import TopicOffset
from tests.support.events import NOON, SITE, event, ledger, position

TOLERANCE = timedelta(minutes=5)


def test_an_event_of_an_older_epoch_is_stale_wherever_it_stands() -> None:
    """Also a row read by an old snapshot that stands at a later offset."""
    row = replace(ledger(event("AxVec", 1, at=7)), epoch=2)
    assert applied.is_stale(row, event("AxVec", 1, "r", offset=99))
    assert applied.is_stale(
        row,
        replace(event("AxVec", 1, at=99), position=position(99, epoch=9)),
    )


def test_the_first_snapshot_of_a_later_epoch_is_applied_over_any_position() -> None:
    """And the row belongs to that epoch from then on."""
    row = ledger(event("AxVec", 1, at=900, offset=5))
    read = replace(event("AxVec", 1, "r", offset=6), epoch=2)
    assert not applied.is_stale(row, read)
    assert guard.apply(AX_VEC, SITE, row, read).epoch == 2


def test_a_read_from_another_partition_does_not_overwrite_a_streamed_change() -> None:
    """Only a topic that grew brings that about; whether the read is newer nobody knows."""
    row = ledger(event("AxVec", 1, at=7, offset=3, partition=5))
    assert applied.is_stale(row, event("AxVec", 1, "r", offset=900, partition=1))


def test_a_swept_row_is_deleted_keeps_its_values_and_refuses_everything_older() -> None:
    """As if its delete had come at the beginning of the epoch."""
    row = ledger(event("AxVec", 1, at=7, vecDescription="Acme"))
    swept = guard.swept(row, 2)
    assert (swept.deleted, swept.epoch, swept.values) == (
        True,
        2,
        row.values,
    )
    assert applied.is_stale(swept, event("AxVec", 1, at=99, offset=99))
    assert not applied.is_stale(
        swept,
        replace(
            event("AxVec", 1, at=1, offset=99),
            epoch=2,
            position=position(1, epoch=2),
        ),
    )


def test_an_event_that_committed_well_later_at_an_earlier_position_tells_of_another_log() -> None:
    """Within the tolerance it may be the source's clock;
    a duplicate committed when it committed.
    """
    row = ledger(event("AxVec", 1, at=7))
    late = replace(event("AxVec", 1, at=3), committed_at=NOON + timedelta(hours=1))
    assert applied.is_rewound(row, late, TOLERANCE)
    assert not applied.is_rewound(
        row,
        replace(late, committed_at=NOON + timedelta(minutes=4)),
        TOLERANCE,
    )
    assert not applied.is_rewound(row, event("AxVec", 1, at=3), TOLERANCE)
    assert not applied.is_rewound(row, replace(late, position=position(8)), TOLERANCE)
    assert not applied.is_rewound(
        row,
        replace(event("AxVec", 1, "r"), committed_at=NOON + timedelta(hours=1)),
        TOLERANCE,
    )


def test_a_row_created_and_deleted_in_one_batch_marks_what_depends_on_it() -> None:
    """As it does in two batches: PIM keeps what Ajera deletes, so it must have been there."""
    created = ledger(event("AxContact", 5, at=1, cntLastName="x"))
    both = guard.apply(
        AX_CONTACT,
        SITE,
        created,
        event("AxContact", 5, "d", at=2, offset=2),
    )
    assert list(guard.marks(AX_CONTACT, None, both)) == [("AxContact", "5")]
    never = guard.apply(AX_CONTACT, SITE, None, event("AxContact", 6, "d", at=1))
    assert list(guard.marks(AX_CONTACT, None, never)) == []
    assert never.place == TopicOffset(1, 0, 1)
