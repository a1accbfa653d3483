"""Settings of a group member: those that a site cannot change, one that it can, and the two group
protocols.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

Protocol = Literal["classic", "consumer"]

# A backlog waits at the broker: of what is read ahead, some 64 MB by default, a few batches do.
READ_AHEAD: Final[Mapping[str, Any]] = {"queued.max.messages.kbytes": 16_384}
FIXED_SETTINGS: Final[Mapping[str, Any]] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "enable.partition.eof": False,
    "allow.auto.create.topics": False,
}
# Both assignors spread each topic over the members. One that balances all topics together, as
# cooperative-sticky and KIP-848's `uniform` do,
# may give every partition of the busiest topic to one member.
PROTOCOL_SETTINGS: Final[Mapping[Protocol, Mapping[str, Any]]] = {
    "classic": {
        "group.protocol": "classic",
        "partition.assignment.strategy": "roundrobin",
    },
    "consumer": {
        "group.protocol": "consumer",
        "group.remote.assignor": "range",
    },  # KIP-848
}
# An eager assignor revokes everything, then assigns everything;
# a cooperative protocol moves the difference.
EAGER: Final[frozenset[Protocol]] = frozenset({"classic"})


def consumer_settings(
    bootstrap: str,
    group: str,
    client_settings: Mapping[str, str],
    protocol: Protocol,
) -> dict[str, Any]:
    """librdkafka's settings of a member: the site's, then those that our guarantees depend on."""
    return {
        **READ_AHEAD,
        **client_settings,
        "bootstrap.servers": bootstrap,
        "group.id": group,
        **FIXED_SETTINGS,
        **PROTOCOL_SETTINGS[protocol],
    }
