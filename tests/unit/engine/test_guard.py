"""The guard, case by case;
both losses that were seen with a careless guard are here (docs/explanation/order.md).
"""

from __future__ import annotations

import dataclasses

from pipeline.domain.pim_mirror import (
    AX_CONTACT,
    AX_INVOICE_GROUP,
    AX_PROJECT,
    AX_VEC,
)
from pipeline.engine.projection import guard
from pipeline.model import applied
from pipeline.model.position import (
    TopicOffset,
    postgres_position,
    sqlserver_position,
)
from tests.support.events import SITE, event, ledger


def test_an_older_position_is_stale() -> None:
    """A streamed event below the ledger's position is never applied."""
    assert applied.is_stale(ledger(event("AxVec", 1, at=7)), event("AxVec", 1, at=6, offset=99))


def test_the_same_event_again_is_stale() -> None:
    """A duplicate, delivered at a later offset, is never applied twice."""
    assert applied.is_stale(ledger(event("AxVec", 1, at=7)), event("AxVec", 1, at=7, offset=99))


def test_a_newer_position_at_an_earlier_offset_of_the_same_partition_is_stale() -> None:
    """Within a partition the offset decides too: what was read before was applied before."""
    assert applied.is_stale(
        ledger(event("AxVec", 1, at=7, offset=50)),
        event("AxVec", 1, at=8, offset=49),
    )


def test_a_newer_position_in_a_later_incarnation_is_applied_whatever_its_offset() -> None:
    """Offsets of different incarnations do not compare; positions do."""
    row = ledger(event("AxVec", 1, at=7, offset=50))
    assert not applied.is_stale(row, event("AxVec", 1, at=8, offset=3, incarnation=2))


def test_an_old_backlog_in_a_later_incarnation_is_stale() -> None:
    """A topic created anew that replays old changes does not move a row backwards."""
    row = ledger(event("AxVec", 1, at=7, offset=50))
    assert applied.is_stale(row, event("AxVec", 1, at=6, offset=3, incarnation=2))


def test_a_row_read_by_a_snapshot_is_applied_only_at_a_later_place() -> None:
    """A snapshot read has no position: its offset alone tells whether it is newer."""
    row = ledger(event("AxVec", 1, at=7, offset=50))
    assert not applied.is_stale(row, event("AxVec", 1, "r", offset=51))
    assert applied.is_stale(row, event("AxVec", 1, "r", offset=50))
    assert applied.is_stale(row, event("AxVec", 1, "r", offset=49))


def test_a_snapshot_read_leaves_the_position_as_it_is() -> None:
    """An update that committed during the snapshot may stand
    below any position the read could claim.
    """
    row = ledger(
        event("AxVec", 1, at=7, offset=50),
        event("AxVec", 1, "r", offset=51),
    )
    assert row.position == event("AxVec", 1, at=7).position


def test_an_update_held_open_during_an_incremental_snapshot_is_not_lost() -> None:
    """Case (a): read at 24874304, then an update with a smaller lsn and a newer value."""
    update = dataclasses.replace(
        event("AxVec", 1, offset=2),
        position=postgres_position(1, '["24875416","24872096"]'),
    )
    assert not applied.is_stale(ledger(event("AxVec", 1, "r", offset=1)), update)


def test_an_update_with_a_smaller_lsn_after_the_initial_snapshot_is_not_lost() -> None:
    """Case (b): read at [null,25162904], then [null,25162704]: smaller, and newer."""
    update = dataclasses.replace(
        event("AxVec", 1, offset=2),
        position=postgres_position(1, '[null,"25162704"]'),
    )
    assert not applied.is_stale(ledger(event("AxVec", 1, "r", offset=1)), update)


def test_postgres_positions_sort_by_commit_before_lsn() -> None:
    """A change made early in a transaction that committed late sorts late;
    null (nothing seen yet) sorts first.
    """
    texts = [
        '[null,"900"]',
        '["100","50"]',
        '["100","60"]',
        '["1000","40"]',
    ]
    positions = [postgres_position(1, text) for text in texts]
    assert positions == sorted(positions)
    assert postgres_position(2, '[null,"1"]') > positions[-1]


def test_sqlserver_positions_sort_by_commit_then_change_then_serial() -> None:
    """Fixed widths make text order the order of the log."""
    lsns = [
        ("00000025:00000d98:00a2", "00000025:00000d00:0001", 1),
        ("00000025:00000d98:00a2", "00000025:00000d00:0001", 2),
        ("00000025:00000d98:00a2", "00000025:00000d98:0001", 1),
        ("00000025:00000d99:0001", "00000025:00000d01:0001", 1),
        ("00000100:00000001:0001", None, None),
    ]
    positions = [sqlserver_position(1, *lsn) for lsn in lsns]
    assert positions == sorted(positions)


def test_a_delete_keeps_the_last_image() -> None:
    """A delete's own columns are placeholders; PIM keeps what it has."""
    row = ledger(
        event("AxVec", 1, at=1, vecDescription="Acme"),
        event("AxVec", 1, "d", at=2),
    )
    assert row.deleted
    assert row.values["vecDescription"] == "Acme"


def test_a_column_that_was_not_sent_keeps_its_value() -> None:
    """Unavailable is neither null nor a value."""
    first = event("AxProject", 1, at=1, prjNotes="long")
    second = event("AxProject", 1, at=2, prjDescription="new")
    second = dataclasses.replace(
        second, row={k: v for k, v in second.row.items() if k != "prjNotes"}
    )
    row = ledger(first, second)
    assert row.values["prjNotes"] == "long"
    assert "prjNotes" not in row.unknown


def test_a_column_that_was_never_sent_stays_unknown() -> None:
    """Its null in the mirror means nothing, and must not reach PIM."""
    first = event("AxProject", 1, at=1)
    first = dataclasses.replace(first, row={k: v for k, v in first.row.items() if k != "prjNotes"})
    assert ledger(first).unknown == {"prjNotes"}


def test_a_flag_seen_once_is_remembered() -> None:
    """PIM's row is kept when the flag goes, however the events were cut into batches."""
    row = ledger(
        event("AxVec", 1, at=1, vecIsClient=True),
        event("AxVec", 1, at=2, vecIsClient=False),
    )
    assert row.values["ever_vecIsClient"] is True
    assert row.values["ever_vecIsVendor"] is False


def test_the_last_assigned_organization_is_remembered() -> None:
    """Removing the client from a contact changes nothing in PIM;
    the client wins over the vendor.
    """
    row = ledger(
        event("AxContact", 1, at=1, cntClient=5, cntVendor=6),
        event("AxContact", 1, at=2, cntClient=None, cntVendor=None),
    )
    assert row.values["organization"] == "cl-5"
    assert ledger(event("AxContact", 1, cntClient=0, cntVendor=6)).values["organization"] == "ve-6"


def test_the_last_project_id_that_was_not_blank_is_remembered() -> None:
    """A code is kept when the ID is blanked."""
    row = ledger(
        event("AxProject", 1, at=1, prjID=" 24-001 "),
        event("AxProject", 1, at=2, prjID="  "),
    )
    assert row.values["project_id"] == "24-001"


def test_an_event_that_changes_nothing_marks_nothing() -> None:
    """Only a change of a mirrored column leads to work."""
    before = ledger(event("AxVec", 1, at=1, vecFax="1"))
    after = guard.apply(AX_VEC, SITE, before, event("AxVec", 1, at=2, vecFax="1"))
    assert list(guard.marks(AX_VEC, before, after)) == []


def test_a_change_that_no_other_table_reads_marks_the_row_alone() -> None:
    """A client's fax number does not recompute its 1,500 projects; its name does."""
    before = ledger(event("AxVec", 1, at=1, vecFax="1", vecDescription="A"))
    fax = guard.apply(
        AX_VEC,
        SITE,
        before,
        event("AxVec", 1, at=2, vecFax="2", vecDescription="A"),
    )
    name = guard.apply(
        AX_VEC,
        SITE,
        before,
        event("AxVec", 1, at=2, vecFax="1", vecDescription="B"),
    )
    assert set(guard.marks(AX_VEC, before, fax)) == {("AxVec", "1")}
    assert set(guard.marks(AX_VEC, before, name)) == {
        ("AxVec", "1"),
        ("AxVec.shared", "1"),
    }


def test_an_invoice_group_that_moves_marks_both_projects() -> None:
    """The project it left must lose the client, the one it entered gain it."""
    before = ledger(event("AxInvoiceGroup", 9, at=1, igProject=1))
    after = guard.apply(
        AX_INVOICE_GROUP,
        SITE,
        before,
        event("AxInvoiceGroup", 9, at=2, igProject=2),
    )
    assert {("AxProject", "1"), ("AxProject", "2")} <= set(
        guard.marks(AX_INVOICE_GROUP, before, after)
    )


def test_a_project_that_changes_its_id_marks_both_groups() -> None:
    """Whoever else had the old ID, or has the new one, is decided again."""
    before = ledger(event("AxProject", 1, at=1, prjID="A"))
    after = guard.apply(AX_PROJECT, SITE, before, event("AxProject", 1, at=2, prjID="B"))
    kinds = set(guard.marks(AX_PROJECT, before, after))
    assert {
        ("AxProject.code_group", "a"),
        ("AxProject.code_group", "b"),
    } <= kinds


def test_a_delete_of_a_row_never_seen_marks_nothing_but_is_remembered() -> None:
    """An older create that comes after it is stale."""
    row = guard.apply(AX_CONTACT, SITE, None, event("AxContact", 1, "d", at=5))
    assert list(guard.marks(AX_CONTACT, None, row)) == []
    assert applied.is_stale(row, event("AxContact", 1, "c", at=4))


def test_places_of_one_incarnation_compare_by_offset() -> None:
    """A row's key hangs on one partition within an incarnation."""
    assert TopicOffset(1, 0, 5).is_later_than(TopicOffset(1, 0, 4))
    assert TopicOffset(2, 3, 0).is_later_than(TopicOffset(1, 0, 900))
