"""Who a consumer is, for Kafka and for other processes."""

from __future__ import annotations

import os
import re
import socket


def consumer_id(group: str) -> str:
    """A name of this process in a route's group: its client id in Kafka, and its row in the
    route's state. The same in every call of one process.
    """
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:200]
    return f"{group}-{host}-{os.getpid()}"
