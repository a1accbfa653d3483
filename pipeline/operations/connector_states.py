"""Restarting, pausing, resuming and stopping connectors, and what state they are in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Literal

from pipeline.config.settings import Settings
from pipeline.connect.client import ConnectClient
from pipeline.connect.status import ABSENT, ConnectorStatus
from pipeline.database.state.settings import current_epoch
from pipeline.errors import ConnectorFailed, PipelineError
from pipeline.wiring.clients import connect_client
from pipeline.wiring.source import Source, source_of, systems_of

Report = Callable[[str], None]
Action = Literal["restart", "pause", "resume", "stop"]
DONE: dict[Action, str] = {
    "restart": "restarted",
    "pause": "paused",
    "resume": "resumed",
    "stop": "stopped",
}


@dataclass(frozen=True, slots=True)
class ConnectorShown:
    """A connector as Connect tells of it, and the epoch of its messages: None before the first
    `apply`, and where no state answered (`epoch_unknown` says why).
    """

    source: str
    status: ConnectorStatus
    epoch: int | None
    epoch_unknown: str
    has_offsets: bool


@dataclass(frozen=True, slots=True)
class ConnectorChanged:
    """What was done to a connector. `done`: in one word, or why nothing was; `error`: why it
    failed, "" if it did not.
    """

    source: str
    before: ConnectorStatus
    status: ConnectorStatus
    done: str
    error: str = ""


def show(settings: Settings, system: str | None = None) -> tuple[ConnectorShown, ...]:
    """The state of a source's connector, or of all. Raises ServiceUnreachable for Connect alone."""
    with closing(connect_client(settings)) as connect:
        return tuple(_shown(source, connect) for source in _sources(settings, system))


def change(
    settings: Settings,
    action: Action,
    report: Report,
    system: str | None = None,
    *,
    only_failed: bool = True,
) -> tuple[ConnectorChanged, ...]:
    """Do this to a source's connector, or to all, and wait for the state that it leads to.

    `only_failed`: a restart leaves alone what runs. What fails for one is told in its `error`, and
    the others are done all the same. Raises ServiceUnreachable.
    """
    found: list[ConnectorChanged] = []
    with closing(connect_client(settings)) as connect:
        for source in _sources(settings, system):
            change = _Change(source, connect, settings.connect.timeout_seconds, report)
            found.append(change.made(action, only_failed=only_failed))
    return tuple(found)


@dataclass(frozen=True)
class _Change:
    source: Source
    connect: ConnectClient
    timeout_seconds: float
    report: Report

    def made(self, action: Action, *, only_failed: bool) -> ConnectorChanged:
        name, connect = self.source.connector, self.connect
        before = connect.status(name)
        if before.state == ABSENT:
            error = f"There is no connector {name}; `ajera-cdc connectors apply` makes it."
            return ConnectorChanged(self.source.system, before, before, "nothing", error)
        if action == "restart" and only_failed and not before.is_failed:
            why = "nothing: nothing has failed"
            return ConnectorChanged(self.source.system, before, before, why)
        self.report(f"{action} {name}: {before.sentence}")
        try:
            status = self._reached(action, name, only_failed=only_failed)
        except ConnectorFailed as error:
            after = connect.status(name)
            return ConnectorChanged(self.source.system, before, after, DONE[action], str(error))
        return ConnectorChanged(self.source.system, before, status, DONE[action])

    def _reached(self, action: Action, name: str, *, only_failed: bool) -> ConnectorStatus:
        """Ask for it, and wait. Raises ConnectorFailed."""
        connect, seconds, report = self.connect, self.timeout_seconds, self.report
        match action:
            case "restart":
                before = connect.status(name)
                connect.restart(name, only_failed=only_failed)
                if before.is_held:
                    return connect.status(name)
                was = before.is_running
                return connect.wait_until_restarted(name, seconds, report, was_running=was)
            case "resume":
                connect.resume(name)
                return connect.wait_until_running(name, seconds, report)
            case "pause":
                connect.pause(name)
                status = connect.wait_until(name, seconds, report, lambda now: now.is_paused)
                is_reached = status.is_paused
            case "stop":
                connect.stop(name)
                status = connect.wait_until(name, seconds, report, lambda now: now.is_stopped)
                is_reached = status.is_stopped
        if not is_reached:
            raise ConnectorFailed(f"{status.sentence} after {seconds:.0f} seconds.")
        return status


def _sources(settings: Settings, system: str | None) -> Sequence[Source]:
    systems = systems_of(settings) if system is None else (system,)
    return [source_of(settings, one) for one in systems]


def _shown(source: Source, connect: ConnectClient) -> ConnectorShown:
    epoch, unknown = None, ""
    try:
        with ExitStack() as resources:
            states = [(resources.enter_context(one.opened()), one.schema) for one in source.states]
            epoch = current_epoch(states, source.connector)
    except PipelineError as error:
        unknown = error.sentence
    return ConnectorShown(
        source=source.system,
        status=connect.status(source.connector),
        epoch=epoch,
        epoch_unknown=unknown,
        has_offsets=connect.has_offsets(source.connector),
    )
