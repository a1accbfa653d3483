"""Watching connectors, and restarting what failed with a growing pause. Without a clock and without
threads: `step` is given the time.

Some outages end by themselves, such as a registry that was unavailable for seconds; but a task that
failed stays failed. So each failure is followed by a restart, after a pause that doubles. Where no
restart helps, because a person must correct something or events are lost, the pause is the longest
one, and the reason is reported all the time.

Several consumers may watch one connector. Each looks again right before it restarts, a restart
leaves alone what runs, and the pauses have jitter: at worst it is restarted more often.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from pipeline.connect.causes import Recovery
from pipeline.connect.status import RESUMED, ConnectorStatus
from pipeline.errors import ConnectorFailed, PipelineError

# How long a connector must run before the first pause applies again: one that fails a minute after
# each restart is not well.
STEADY_SECONDS: Final = 120.0
LONGEST_JITTER: Final = 0.5


class Connectors(Protocol):
    """What watching needs of Kafka Connect. Both raise ServiceUnreachable, ConnectorFailed."""

    def status(self, name: str) -> ConnectorStatus: ...

    def restart(self, name: str) -> None:
        """Restart the connector if it failed, and those of its tasks that failed."""


class Reports(Protocol):
    """Where the watcher reports: each state once, as long as it is the same."""

    def connector_runs(self, connector: str) -> None: ...

    def connector_held(self, connector: str, sentence: str) -> None: ...

    def connector_unknown(self, connector: str, error: PipelineError) -> None: ...

    def connector_restarted(self, connector: str, attempt: int) -> None: ...


@dataclass
class _Watched:
    """A connector as it was seen last. Times are of the clock that `step` is given."""

    name: str
    told: str | None = None
    attempts: int = 0  # restarts since it ran steadily
    due: float | None = None  # when the next one is
    runs_since: float | None = None


@dataclass
class Watcher:
    """Watches these connectors. `first_seconds` and `most_seconds` bound the pause before a
    restart; `jitter` gives a number from 0 to 1.
    """

    names: Sequence[str]
    connectors: Connectors
    reports: Reports
    first_seconds: float
    most_seconds: float
    jitter: Callable[[], float]
    _watched: list[_Watched] = field(init=False)

    def __post_init__(self) -> None:
        self._watched = [_Watched(name) for name in self.names]

    def step(self, now: float) -> None:
        """Look at each connector once, and restart what is due. `now` is monotonic, in seconds."""
        for one in self._watched:
            try:
                self._look(one, self.connectors.status(one.name), now)
            except PipelineError as error:
                self._tell_unknown(one, error)

    def _look(self, one: _Watched, status: ConnectorStatus, now: float) -> None:
        if not status.is_failed:
            one.due = None
            self._settle(one, status, now)
            return
        one.runs_since = None
        if one.due is not None and now >= one.due:
            one.due = None
            self.connectors.restart(one.name)
            one.attempts += 1
            self.reports.connector_restarted(one.name, one.attempts)
            return
        if one.due is None:
            one.due = now + self._pause(one.attempts, status.recovery)
        self._tell_failed(one, status)

    def _settle(self, one: _Watched, status: ConnectorStatus, now: float) -> None:
        """It did not fail: it runs, is held by somebody, or is about to start."""
        if status.is_running:
            one.runs_since = now if one.runs_since is None else one.runs_since
            if now - one.runs_since >= STEADY_SECONDS:
                one.attempts = 0
            if one.told != "":
                one.told = ""
                self.reports.connector_runs(one.name)
            return
        one.runs_since = None
        if status.is_held:
            what = RESUMED
        else:
            what = "`ajera-cdc connectors status` shows it; `connectors apply` creates it."
        self._tell(one, f"{status.sentence}. {what}")

    def _pause(self, attempts: int, recovery: Recovery) -> float:
        """Seconds until the next restart."""
        doubled = self.first_seconds * 2.0 ** min(attempts, 32)
        if recovery is not Recovery.RESTART:
            doubled = self.most_seconds
        return min(doubled, self.most_seconds) * (1 + LONGEST_JITTER * self.jitter())

    def _tell_failed(self, one: _Watched, status: ConnectorStatus) -> None:
        error = ConnectorFailed(f"{status.sentence}: {status.failure}")
        self._tell(one, f"{error.code}: {error} {status.recovery.hint}")

    def _tell(self, one: _Watched, sentence: str) -> None:
        if one.told != sentence:
            one.told = sentence
            self.reports.connector_held(one.name, sentence)

    def _tell_unknown(self, one: _Watched, error: PipelineError) -> None:
        """What it did meanwhile is unknown: neither steady nor failed."""
        one.runs_since = None
        if one.told != error.sentence:
            one.told = error.sentence
            self.reports.connector_unknown(one.name, error)
