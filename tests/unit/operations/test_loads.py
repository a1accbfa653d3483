"""What `status` shows of tables that are being loaded."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from pipeline.cli.status import shown
from pipeline.database.state.status import PartitionStatus, TableStatus
from pipeline.operations.lag import Lag, PartitionLag
from pipeline.operations.loads import with_progress
from pipeline.operations.standing import RouteState
from tests.unit.operations.test_lag import NOON
from tests.unit.operations.test_problems import ROUTE, status_of

TOPICS = {"AxActivity": "ajera.AxActivity", "AxTransaction": "ajera.AxTransaction"}
STATE = RouteState(
    partitions=tuple(
        PartitionStatus("ajera.AxTransaction", number, 1_000 * number, 0, 0, 0, 0, 0, NOON)
        for number in (1, 2)
    ),
    tables=(TableStatus("AxActivity", "loaded", 1), TableStatus("AxTransaction", "waiting", 0)),
)


def kafka(*ends: int) -> Lag:
    """What Kafka says of the transactions' partitions."""
    partitions = tuple(
        PartitionLag("ajera.AxTransaction", number, 0, end, 0, 0, 0, None, None, None)
        for number, end in enumerate(ends, 1)
    )
    return Lag(
        *("accounting", "g", "running", 1, 0, None, None, None, False, (), ()),  # type: ignore[arg-type]
        partitions=partitions,
    )


def drawn(state: RouteState) -> str:
    """As a terminal of 80 columns shows it."""
    console = Console(file=io.StringIO(), width=80)
    console.print(shown(status_of(replace(ROUTE, state=state))))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_of_a_table_that_is_being_loaded_is_shown_how_much_is_read() -> None:
    """Over its partitions, of what is in Kafka now; of a table that is loaded nothing."""
    state = with_progress(STATE, TOPICS, kafka(2_000, 8_000))
    assert [(one.read, one.there) for one in state.tables] == [(None, None), (3_000, 10_000)]
    assert "3,000 of 10,000 (30 %)" in drawn(state)


def test_where_kafka_does_not_answer_nobody_knows_how_much_there_is() -> None:
    """It is not taken for all."""
    state = with_progress(STATE, TOPICS, None)
    assert "3,000 of an unknown number" in drawn(state)
    assert "%" not in drawn(state)


def test_a_route_that_is_loaded_shows_nothing_of_it() -> None:
    """The column is gone."""
    state = replace(STATE, tables=STATE.tables[:1])
    assert "messages read" not in drawn(with_progress(state, TOPICS, kafka(1, 1)))
