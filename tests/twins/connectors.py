"""Kafka Connect in memory: connectors that fail and are restarted, as a watcher sees them."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.connect.explain import explain, recovery_of
from pipeline.connect.status import ABSENT, FAILED, RUNNING, ConnectorStatus, TaskStatus
from pipeline.errors import ServiceUnreachable


@dataclass
class ConnectTwin:
    """Connectors by name, each with one task. `trace`: why the task failed, "" while it runs; a
    task that is restarted fails again for as long as `broken` names its cause.
    """

    traces: dict[str, str]
    states: dict[str, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    is_away: bool = False
    restarted: list[str] = field(default_factory=list)

    def status(self, name: str) -> ConnectorStatus:
        self._answer()
        if name not in self.traces:
            return ConnectorStatus(name, ABSENT)
        trace, state = self.traces[name], self.states.get(name, RUNNING)
        if trace:
            task = TaskStatus(0, FAILED, explain(trace), recovery=recovery_of(trace))
        else:
            task = TaskStatus(0, state)
        return ConnectorStatus(name, state, (task,))

    def restart(self, name: str) -> None:
        self._answer()
        self.restarted.append(name)
        if self.traces[name]:
            self.traces[name] = self.broken.get(name, "")

    def fail(self, name: str, trace: str, *, for_good: bool = False) -> None:
        """Its task fails; `for_good`: also after a restart."""
        self.traces[name] = trace
        if for_good:
            self.broken[name] = trace

    def mend(self, name: str) -> None:
        """The next restart lets it run."""
        self.broken.pop(name, None)

    def _answer(self) -> None:
        if self.is_away:
            raise ServiceUnreachable("Kafka Connect: ConnectError.")
