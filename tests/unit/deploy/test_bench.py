"""What the benchmark says of a group, of a run, and of what a target holds."""

from __future__ import annotations

import io
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner
from rich.console import Console

from pipeline.model.position import TopicPartition
from tests.bench.__main__ import main
from tests.bench.comparing import require_equal
from tests.bench.machine import Machine
from tests.bench.measuring import Result, Used
from tests.bench.report import AGAIN, Delays, Line, draw, noises, save
from tests.bench.waiting import split
from tests.bench.workloads import clients, projects, projects_last, transactions

HERE = Machine(
    at="2026-11-28 00:00 UTC",
    commit="0db04c3",
    processor="a processor",
    cores=2,
    memory_gb=24.0,
    load=0.1,
    system="Linux",
    python="3.11",
    postgres="18",
    kafka="2.16",
    sink="3.5.0",
)


def line(who: str, *rates: float) -> Line:
    results = [Result(rate, 79.0, 40.0, 1_062.0, 191.0) for rate in rates]
    return Line("clients", who, 150_000, results, [rate / 10_000 for rate in rates])


def test_the_split_of_a_topic_counts_every_member_also_one_without_a_partition() -> None:
    """Four to nothing is what the figure is there to show."""
    busy, other = "ajera.AxVec", "ajera.AxProject"
    of_busy = {TopicPartition(busy, number): "first" for number in range(4)}
    assert split(of_busy | {TopicPartition(other, 0): "second"}, busy) == "4 : 0"
    shared = {TopicPartition(busy, number): ("first", "second")[number % 2] for number in range(4)}
    assert split(shared, busy) == "2 : 2"


def test_what_was_not_measured_is_shown_as_unknown_and_not_as_zero() -> None:
    """A server elsewhere has no CPU and no WAL here."""
    used = Used(1_000, 2.0, 0.05, None, None) + Used(1_000, 2.0, 0.05, None, None)
    cells = Line("clients", "ours", 2_000, [Result.of(used, None)]).cells()
    assert cells == ["clients", "ours", "2,000", "500", "-", "-", "50 + -", "-", "-", "-"]


def test_the_noise_is_how_far_apart_two_equal_contenders_are_in_a_round_and_in_the_median() -> None:
    """Here 10 % in the second round, and nothing in the median."""
    lines = [line("ours", 100, 110, 90), line(f"ours{AGAIN}", 100, 100, 100), line("sink", 1, 2, 3)]
    assert noises(lines) == [
        "clients: two equal runs differ by 0 % in the median, by up to 10 % in a round."
    ]


def test_the_table_is_plain_columns_where_it_is_not_written_to_a_terminal(tmp_path: Path) -> None:
    """And every round's figures are in the file, in full."""
    output = io.StringIO()
    lines = [line("ours", 7_964, 8_287), Line("delay", "sink", 10, delays=Delays(23, 65, 70))]
    draw(Console(file=output, width=150), lines, HERE)
    shown = [" ".join(text.split()) for text in output.getvalue().splitlines()]
    assert shown[1] == "clients ours 150,000 8,126 7,964, 8,287 0.81 79 + 40 1,062 191 -"
    assert shown[2] == "delay sink 10 - - - - - - 23, 65, 70"
    assert all(text.isascii() or "µs" in text for text in shown)
    save(tmp_path / "bench.json", lines, HERE)
    kept = orjson.loads((tmp_path / "bench.json").read_bytes())
    assert [one["rate"] for one in kept["lines"][0]["results"]] == [7_964, 8_287]
    assert kept["machine"]["commit"] == "0db04c3"


def test_a_narrow_terminal_gets_every_figure_whole() -> None:
    """A table of eighty columns would cut them."""
    output = io.StringIO()
    lines = [line("ours", 7_964, 8_287), Line("delay", "sink", 10, delays=Delays(23, 65, 70))]
    draw(Console(file=output, width=80), lines, HERE)
    shown = " ".join(output.getvalue().split())
    assert "clients, ours: events 150,000; events/s 8,126; lowest, highest 7,964, 8,287;" in shown
    assert "delay, sink: events 10; p50, p99, max ms 23, 65, 70" in shown


def test_no_percentile_of_delays_is_beyond_the_longest() -> None:
    """Of few delays, too."""
    delays = Delays.of([0.010, 0.020, 0.090])
    assert (delays.p50, delays.longest) == (20.0, 90.0)
    assert delays.p50 < delays.p99 <= delays.longest


@pytest.mark.parametrize(
    "held", [{}, {1: ("Hill",)}, {1: ("Hall",), 2: ("x",)}], ids=["missing", "older", "surplus"]
)
def test_a_rate_of_rows_that_are_not_as_they_were_sent_is_none(held: dict[int, list[str]]) -> None:
    """The newest image of each row is what a target must hold, and nothing else."""
    require_equal("AxVec", {1: ["Hall"]}, {1: {"vecDescription": "Hall"}}, ["vecDescription"])
    with pytest.raises(AssertionError, match="AxVec"):
        require_equal("AxVec", held, {1: {"vecDescription": "Hall"}}, ["vecDescription"])


def test_projects_arrive_in_two_orders_with_the_same_rows_in_the_end() -> None:
    """So both must leave the same PIM."""
    first, last = projects(8, 1), projects_last(8, 1)
    assert first.newest == last.newest
    assert first.leaves == last.leaves
    assert [phase.table.name for phase in first.phases] == [
        *("AxVec", "AxProject", "AxInvoiceGroup", "AxProject")
    ]
    assert [phase.table.name for phase in last.phases] == [
        *("AxInvoiceGroup", "AxProject", "AxVec", "AxProject")
    ]


def test_half_of_the_events_of_clients_are_updates_and_transactions_are_inserted_only() -> None:
    """As the workloads say of themselves."""
    (changes,) = (phase.changes for phase in clients(10, 1).phases)
    assert [change.operation for change in changes] == ["c"] * 10 + ["u"] * 10
    (entries,) = (phase.changes for phase in transactions(10, 1).phases)
    assert {change.operation for change in entries} == {"c"}


def test_a_part_that_cannot_be_measured_on_another_server_is_refused_before_anything_starts() -> (
    None
):
    """Captures and the exchange need the stack's own databases."""
    found = CliRunner().invoke(main, ["--target", "mssql://server/master", "--only", "delay"])
    assert found.exit_code == 2
    assert "delay cannot be measured on another server" in found.output
