"""What a backfill is refused for, before anything is asked of the connector."""

from __future__ import annotations

import pytest

from pipeline.connect.status import ConnectorStatus, TaskStatus
from pipeline.errors import BackfillRefused
from pipeline.operations.backfill import refuse_unready

RUNNING = ConnectorStatus("ajera", "RUNNING", (TaskStatus(0, "RUNNING"),))


def test_a_connector_that_runs_and_knows_the_signal_table_is_asked() -> None:
    """Nothing is refused."""
    refuse_unready(RUNNING, "ajera", is_in_snapshot=False, knows_signals=True)


@pytest.mark.parametrize(
    "status",
    [
        ConnectorStatus("ajera", "ABSENT"),
        ConnectorStatus("ajera", "PAUSED", (TaskStatus(0, "PAUSED"),)),
        ConnectorStatus("ajera", "RUNNING", (TaskStatus(0, "FAILED", "The password is wrong."),)),
        ConnectorStatus("ajera", "RUNNING"),
    ],
    ids=["absent", "paused", "failed", "without a task"],
)
def test_a_connector_that_does_not_run_is_not_asked(status: ConnectorStatus) -> None:
    """The refusal has its state, and the cause if it failed."""
    with pytest.raises(BackfillRefused) as refused:
        refuse_unready(status, "ajera", is_in_snapshot=False, knows_signals=True)
    assert status.sentence in str(refused.value)
    assert status.failure in str(refused.value)


def test_a_connector_that_reads_its_first_snapshot_is_not_asked() -> None:
    """It would read the signal as one of the rows: nothing would be read again, and nobody told."""
    with pytest.raises(BackfillRefused, match="first snapshot"):
        refuse_unready(RUNNING, "ajera", is_in_snapshot=True, knows_signals=True)


def test_a_connector_that_does_not_know_the_signal_table_is_not_asked() -> None:
    """The signal would be a row that nobody reads."""
    with pytest.raises(BackfillRefused, match="connectors apply --source dps"):
        refuse_unready(RUNNING, "dps", is_in_snapshot=False, knows_signals=False)
