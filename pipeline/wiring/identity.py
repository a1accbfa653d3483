"""Who a consumer is, for Kafka and for other processes."""

from __future__ import annotations

import os
import re
import socket


def consumer_id(group: str, member: int = 1) -> str:
    """A name of this process in a route's group, or of one of its further members: its client id in
    Kafka, and its row in the route's state. The same in every call of one process.
    """
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:200]
    further = f"-{member}" if member > 1 else ""
    return f"{group}-{host}-{os.getpid()}{further}"
