"""What a person on call sees: status, lag, the consumers' /health and their metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True)
class Sample:
    """One line of /metrics."""

    name: str
    labels: Mapping[str, str]
    value: float


def scraped(text: str) -> tuple[Sample, ...]:
    """What a monitoring system gets of /metrics."""
    return tuple(
        Sample(one.name, one.labels, one.value)
        for family in text_string_to_metric_families(text)
        for one in family.samples
    )


@dataclass
class Seen:
    """What a person can see at one moment."""

    status: dict[str, Any]
    status_code: int
    lag: dict[str, Any]
    health: Mapping[str, dict[str, Any]]
    metrics: Mapping[str, tuple[Sample, ...]]

    @property
    def problems(self) -> str:
        """Everything that status says is wrong, as one text."""
        return "\n".join(
            f"{one['place']}: {one['what']} {one['command']}" for one in self.status["problems"]
        )

    def route(self, name: str) -> dict[str, Any]:
        """What lag says of a route."""
        (found,) = [one for one in self.lag["routes"] if one["route"] == name]
        return dict(found)

    def halt(self, route: str, topic: str) -> dict[str, Any] | None:
        """What status says of the topic's one partition, if that is halted."""
        (found,) = [one for one in self.status["routes"] if one["name"] == route]
        halts = [] if found["state"] is None else found["state"]["halted"]
        return next((one for one in halts if one["place"] == f"{topic}[0]"), None)

    def says(self, code: str) -> bool:
        """Status, or the health of a consumer, names the code."""
        return code in self.problems or any(code in self.reasons(route) for route in self.health)

    def reasons(self, route: str) -> str:
        """The reasons that /health of a route's consumer gives."""
        return "\n".join(self.health[route].get("reasons", {}).values())

    def metric(self, route: str, name: str, **labels: str) -> float | None:
        """What a person would alert on: the sum of a metric's samples, of those with these labels.
        None where there is none, as for a figure that is not known.
        """
        found = [
            one.value
            for one in self.metrics[route]
            if one.name == name and labels.items() <= one.labels.items()
        ]
        return sum(found) if found else None
