"""The status of a connector and its tasks, in Connect's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipeline.connect.causes import Recovery

ABSENT: Final = "ABSENT"
RUNNING: Final = "RUNNING"
FAILED: Final = "FAILED"
PAUSED: Final = "PAUSED"
STOPPED: Final = "STOPPED"
RESUMED: Final = "`ajera-cdc connectors resume` lets it read on."


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """A task: its state as Connect names it, the worker that runs it, and, if it failed, the cause
    in one sentence (`explanation`), the first line of its own words, without values (`cause`), and
    what ends it (`recovery`).
    """

    number: int
    state: str
    explanation: str = ""
    worker: str = ""
    cause: str = ""
    recovery: Recovery | None = None


@dataclass(frozen=True, slots=True)
class ConnectorStatus:
    """A connector's state: RUNNING, PAUSED, STOPPED, FAILED, UNASSIGNED or RESTARTING, as Connect
    names it, or ABSENT.
    """

    name: str
    state: str
    tasks: tuple[TaskStatus, ...] = ()
    explanation: str = ""
    worker: str = ""
    cause: str = ""
    own_recovery: Recovery | None = None

    @property
    def is_running(self) -> bool:
        """Does the connector run, and every one of its tasks."""
        return (
            self.state == RUNNING
            and bool(self.tasks)
            and all(task.state == RUNNING for task in self.tasks)
        )

    @property
    def is_failed(self) -> bool:
        """Did the connector fail, or one of its tasks; it may say RUNNING all the same."""
        return self.state == FAILED or any(task.state == FAILED for task in self.tasks)

    @property
    def is_held(self) -> bool:
        """Did somebody pause or stop it: it stays so until it is resumed."""
        return self.state in (PAUSED, STOPPED)

    @property
    def is_paused(self) -> bool:
        """Does no task of it read; one that failed stays FAILED while it is paused."""
        return self.state == PAUSED and all(task.state in (PAUSED, FAILED) for task in self.tasks)

    @property
    def is_stopped(self) -> bool:
        """Is it stopped, and has no task any more."""
        return self.state == STOPPED and not self.tasks

    @property
    def failure(self) -> str:
        """Why the connector or its first failed task failed; "" if none did."""
        if self.state == FAILED:
            return self.explanation
        return next(
            (task.explanation for task in self.tasks if task.state == FAILED),
            "",
        )

    @property
    def recovery(self) -> Recovery:
        """What ends the failure that `failure` tells."""
        failed = (task.recovery for task in self.tasks if task.state == FAILED)
        found = (self.own_recovery, *failed)
        return next((one for one in found if one is not None), Recovery.RESTART)

    @property
    def sentence(self) -> str:
        """The state in one line."""
        tasks = (
            ", ".join(f"task {task.number} {task.state}" for task in self.tasks) or "no task yet"
        )
        return f"{self.name} {self.state}, {tasks}"
