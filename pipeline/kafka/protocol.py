"""Settings of a group member: what a site may not change, and the two group protocols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

Protocol = Literal["classic", "consumer"]

FIXED_SETTINGS: Final[Mapping[str, Any]] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "enable.partition.eof": False,
    "allow.auto.create.topics": False,
}
PROTOCOL_SETTINGS: Final[Mapping[Protocol, Mapping[str, Any]]] = {
    "classic": {"group.protocol": "classic", "partition.assignment.strategy": "cooperative-sticky"},
    "consumer": {"group.protocol": "consumer"},  # KIP-848: assignment and session timeout are the broker's
}


def consumer_settings(
    bootstrap: str, group: str, client_settings: Mapping[str, str], protocol: Protocol
) -> dict[str, Any]:
    """librdkafka's settings of a member: the site's own, then those that our promises hang on."""
    return {
        **client_settings,
        "bootstrap.servers": bootstrap,
        "group.id": group,
        **FIXED_SETTINGS,
        **PROTOCOL_SETTINGS[protocol],
    }
