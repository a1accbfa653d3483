"""What `status` says is wrong: the worst first, each with what to type, and the exit code."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import click
import pytest
from rich.console import Console

from pipeline.cli.main import main
from pipeline.cli.status import shown, summary
from pipeline.connect.status import TaskStatus
from pipeline.database.state.consumers import ConsumerStatus
from pipeline.database.systems.capture_health import CaptureHealth
from pipeline.errors import ExitCode
from pipeline.model.halt import Halt
from pipeline.model.position import TopicPartition
from pipeline.operations.backlog import Freshness
from pipeline.operations.group_state import GroupVerdict
from pipeline.operations.problems import Severity, problems, worst
from pipeline.operations.skipped_rows import SkippedRows
from pipeline.operations.standing import ConnectorStatus, GroupStatus, RouteState, RouteStatus
from pipeline.operations.status import Status
from tests.support.runbook import HELP

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SEEN = Freshness("ajera", NOON, 2.0, 15.0, is_silent=False)
GROUP = GroupStatus(
    name="ajera-to-pim",
    state=GroupVerdict.OK,
    members=2,
    lag=0,
    delay_seconds=0.0,
    applied_until=NOON,
    lost=0,
    rewound=0,
    retention_left_seconds=None,
    is_expiring=False,
    missing=(),
    sources=(SEEN,),
)
ROUTE = RouteStatus("pim", "Ajera to PIM", GROUP, None)
RUNNING = TaskStatus(0, "RUNNING")
CONNECTOR = ConnectorStatus("ajera", "ajera", "RUNNING", True, "", (RUNNING,), 1)
FAILED = replace(
    CONNECTOR,
    state="FAILED",
    running=False,
    failure="The password is wrong.",
    tasks=(replace(RUNNING, state="FAILED"),),
)


def status_of(
    route: RouteStatus = ROUTE, connector: ConnectorStatus = CONNECTOR, *away: str
) -> Status:
    found = problems([route], [connector], away, NOON)
    return Status(NOON, worst(found).word, found, (route,), (connector,), away)


def with_group(**changed: object) -> RouteStatus:
    return replace(ROUTE, group=replace(GROUP, **changed))  # type: ignore[arg-type]


def test_only_what_is_healthy_ends_with_zero() -> None:
    """Everything runs, the source was seen, nothing is late."""
    found = status_of()
    assert (found.problems, found.exit_code, found.health) == ((), ExitCode.OK, "healthy")
    assert summary(found) == "HEALTHY; pim ok, 0 behind, 0.0 s"


def test_a_failed_task_is_said_first_with_its_cause_and_what_to_type() -> None:
    """Though it is not the only thing that is wrong, and Connect calls its connector RUNNING."""
    late = with_group(state=GroupVerdict.WARN, lag=5, delay_seconds=61.0)
    found = status_of(late, FAILED, "environment.unreachable: x")
    assert found.exit_code == ExitCode.HALTED
    first, *others = found.problems
    assert "task 0 FAILED" in first.what
    assert "The password is wrong." in first.what
    assert first.command.startswith("ajera-cdc connectors ")
    assert [one.severity for one in others] == [Severity.UNKNOWN, Severity.DEGRADED]


@pytest.mark.parametrize(
    ("route", "code", "word"),
    [
        (with_group(state=GroupVerdict.NEVER_RAN, members=0), ExitCode.HALTED, "ever run"),
        (with_group(state=GroupVerdict.STOPPED, lag=5, members=0), ExitCode.HALTED, "5 messages"),
        (
            with_group(state=GroupVerdict.REWOUND, rewound=40, members=0),
            ExitCode.HALTED,
            "40 messages that are applied",
        ),
        (with_group(state=GroupVerdict.NO_MEMBERS, members=0), ExitCode.HALTED, "No consumer"),
        (with_group(state=GroupVerdict.STALLED, lag=5), ExitCode.DEGRADED, "do not move on"),
        (with_group(state=GroupVerdict.WARN, lag=5), ExitCode.DEGRADED, "late"),
        (with_group(state=GroupVerdict.UNKNOWN, lag=None), ExitCode.ENVIRONMENT, "created again"),
        (with_group(missing=("ajera.AxVec",)), ExitCode.HALTED, "ajera.AxVec is not in Kafka"),
        (
            with_group(is_expiring=True, retention_left_seconds=5400.0),
            ExitCode.DEGRADED,
            "in 1.5 hours",
        ),
        (with_group(lost=7), ExitCode.HALTED, "deleted 7 messages"),
        (
            with_group(sources=(replace(SEEN, seen_seconds=99.0, is_silent=True),)),
            ExitCode.ENVIRONMENT,
            "for 99 s",
        ),
        (
            with_group(sources=(replace(SEEN, seen_seconds=None, is_silent=True),)),
            ExitCode.ENVIRONMENT,
            "No heartbeat or change of it is in Kafka",
        ),
    ],
)
def test_each_state_of_a_route_has_its_words_and_its_exit_code(
    route: RouteStatus, code: ExitCode, word: str
) -> None:
    """One problem each, and something to type."""
    found = status_of(route)
    (problem,) = found.problems
    assert word in problem.what
    assert problem.command.startswith("ajera-cdc ")
    assert found.exit_code == code


@pytest.mark.parametrize(
    ("state", "tasks", "code"),
    [
        ("ABSENT", (), ExitCode.HALTED),
        ("PAUSED", (), ExitCode.HALTED),
        ("STOPPED", (), ExitCode.HALTED),
        ("UNASSIGNED", (), ExitCode.DEGRADED),
        ("RUNNING", (), ExitCode.DEGRADED),
    ],
)
def test_a_connector_that_does_not_run_is_a_problem(
    state: str, tasks: tuple[TaskStatus, ...], code: ExitCode
) -> None:
    """A silent source is told once: by its connector, which says why."""
    silent = with_group(sources=(replace(SEEN, seen_seconds=None, is_silent=True),))
    found = status_of(silent, replace(CONNECTOR, state=state, running=False, tasks=tasks))
    assert len(found.problems) == 1
    assert found.exit_code == code


VEC = TopicPartition("ajera.AxVec", 0)
HALT = Halt(
    place="ajera.AxVec[0]",
    partition=VEC,
    incarnation=1,
    offset=1234,
    code="decode.contract",
    sentence="decode.contract: vecZip is missing. Rename it back.",
    since=NOON,
    consumer="pim-host-1",
)
MINUTE = timedelta(minutes=1)
CONSUMER = ConsumerStatus(
    id="pim-host-1",
    host="host",
    pid=1,
    version="1",
    started_at=NOON,
    seen_at=NOON,
    state="ok",
    reasons={},
    address="http://127.0.0.1:9464",
)


def with_state(*consumers: ConsumerStatus, halted: tuple[Halt, ...] = ()) -> RouteStatus:
    return replace(ROUTE, state=RouteState(halted=halted, consumers=consumers))


def test_a_halt_is_said_with_its_place_cause_and_page() -> None:
    """Once, though its consumer says it of itself, too."""
    told = replace(CONSUMER, state="halted", reasons={HALT.place: HALT.sentence})
    found = status_of(with_state(told, halted=(HALT,)))
    (problem,) = found.problems
    assert "ajera.AxVec[0] before offset 1,234 is halted" in problem.what
    assert HALT.sentence in problem.what
    assert problem.command == "ajera-cdc explain decode.contract"
    assert found.exit_code == ExitCode.HALTED


def test_halts_of_one_cause_are_one_problem_with_every_place() -> None:
    """As links that are older than Ajera halt every partition of the exchange; what has another
    cause is told for itself.
    """
    same = [
        replace(HALT, place=f"dps.Clendor[{number}]", offset=number, since=NOON + number * MINUTE)
        for number in (3, 1, 2)
    ]
    other = replace(HALT, sentence="decode.contract: cntEMail is missing. Rename it back.")
    found = status_of(with_state(halted=(same[0], other, *same[1:])))
    first, second = found.problems
    assert first.what == (
        "dps.Clendor[3] before offset 3, dps.Clendor[1] before offset 1, dps.Clendor[2] before "
        f"offset 2 are halted since {NOON + MINUTE:%Y-%m-%d %H:%M:%S} UTC. {HALT.sentence}"
    )
    assert other.sentence in second.what


def test_what_several_consumers_say_is_told_once_with_their_names() -> None:
    """A database that is away is away for each."""
    waits = replace(CONSUMER, state="degraded", reasons={"target.busy": "target.busy: PIM. Wait."})
    busy = replace(waits, reasons={"target.busy": "target.busy: PIM. Wait longer."})
    found = status_of(
        with_state(waits, replace(waits, id="pim-host-2"), replace(busy, id="pim-host-3"))
    )
    assert [one.place for one in found.problems] == [
        "consumers pim-host-1, pim-host-2",
        "consumer pim-host-3",
    ]


def test_topics_that_are_gone_are_one_problem() -> None:
    """With the name of each."""
    (problem,) = status_of(with_group(missing=("ajera.AxVec", "ajera.AxProject"))).problems
    assert "The topics ajera.AxVec, ajera.AxProject are not in Kafka" in problem.what


def test_a_halt_that_is_tried_again_by_itself_is_degraded() -> None:
    """A schema id that the registry does not know yet."""
    found = status_of(with_state(halted=(replace(HALT, code="registry.unknown"),)))
    assert found.exit_code == ExitCode.DEGRADED


def test_a_skipped_message_is_told_with_the_command_that_brings_its_row() -> None:
    """Until then the target is not as the source."""
    command = "ajera-cdc backfill ajera AxVec --key '7'"
    skipped = SkippedRows("ajera.AxVec", 0, 1, 41, 41, command)
    found = status_of(replace(ROUTE, state=RouteState(skipped=(skipped,))))
    (problem,) = found.problems
    assert "1 message was skipped of ajera.AxVec partition 0 (offsets 41)" in problem.what
    assert problem.command == command
    assert found.exit_code == ExitCode.DEGRADED


def test_what_a_consumer_waits_for_is_told_by_its_name() -> None:
    """A database that is away is in no halt."""
    waits = replace(CONSUMER, state="degraded", reasons={"target.busy": "target.busy: PIM. Wait."})
    found = status_of(with_state(waits))
    (problem,) = found.problems
    assert (problem.place, problem.command) == (
        "consumer pim-host-1",
        "ajera-cdc explain target.busy",
    )
    assert found.exit_code == ExitCode.DEGRADED


def test_a_consumer_that_died_is_told() -> None:
    """Its row stays, and it gives no sign of life."""
    found = status_of(with_state(CONSUMER, replace(CONSUMER, seen_at=NOON - timedelta(minutes=1))))
    (problem,) = found.problems
    assert "not heard of for 60 s" in problem.what
    assert found.exit_code == ExitCode.DEGRADED


@pytest.mark.parametrize(
    ("capture", "code", "word"),
    [
        (CaptureHealth(is_there=True, is_read=True, is_lost=True), ExitCode.HALTED, "invalidated"),
        (CaptureHealth(is_there=False), ExitCode.HALTED, "no reader"),
        (CaptureHealth(is_there=True, is_read=False), ExitCode.DEGRADED, "that has no connection"),
        (CaptureHealth(is_there=True, left_bytes=5000), ExitCode.DEGRADED, "5,000 more bytes"),
        (CaptureHealth(is_there=True, captured_seconds=900), ExitCode.HALTED, "nothing for 900 s"),
        (CaptureHealth(is_there=True, errors=2), ExitCode.DEGRADED, "2 errors"),
        (CaptureHealth(is_there=True, latency_seconds=900), ExitCode.DEGRADED, "900 s late"),
    ],
)
def test_what_the_source_says_of_its_log_is_told(
    capture: CaptureHealth, code: ExitCode, word: str
) -> None:
    """Also while the connector runs, and Kafka has a heartbeat."""
    found = status_of(ROUTE, replace(CONNECTOR, capture=capture))
    (problem,) = found.problems
    assert word in problem.what
    assert found.exit_code == code


def test_a_slot_that_is_read_is_no_problem() -> None:
    """And what the source does not say is none either."""
    well = CaptureHealth(is_there=True, is_read=True, is_lost=False, behind_bytes=5000)
    assert status_of(ROUTE, replace(CONNECTOR, capture=well)).problems == ()
    assert status_of(ROUTE, replace(CONNECTOR, capture=None)).problems == ()


def test_what_a_service_would_have_told_is_unknown_and_not_zero() -> None:
    """In the line of the route, too."""
    found = status_of(replace(ROUTE, group=None), CONNECTOR, "environment.unreachable: Kafka.")
    assert found.exit_code == ExitCode.ENVIRONMENT
    assert summary(found) == "UNKNOWN (1 unknown); pim unknown"
    unknown = with_group(lag=None, delay_seconds=None, state=GroupVerdict.UNKNOWN)
    assert summary(status_of(unknown)).endswith("pim unknown, unknown behind, unknown")


def test_a_terminal_of_80_columns_cuts_nothing_off() -> None:
    """The longest words of a problem are all there."""
    topic = "ajera.AxProjectInvoiceGroupOfAVeryLongName"
    console = Console(width=80, record=True, file=io.StringIO(), markup=False)
    console.print(shown(status_of(with_group(missing=(topic,)), FAILED)))
    text = console.export_text()
    assert topic in text
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "…" not in text


def test_the_help_states_every_exit_code() -> None:
    """Those of a probe, too."""
    for name, codes in (("status", "0435"), ("lag", "43")):
        command = main.commands[name]
        text = " ".join(
            command.get_help(click.Context(command, obj=lambda: (), help_option_names=HELP)).split()
        )
        assert all(f"code {code} if" in text or f", {code} if" in text for code in codes), text
