"""Why no server answered: asked of the network itself, since a driver says only that none did."""

from __future__ import annotations

import socket
from enum import Enum

from pipeline.database.sql.address import Address

LONGEST_SECONDS = 2.0


class Reach(Enum):
    """How far one comes."""

    HOST_UNKNOWN = "no host of that name is known"
    REFUSED = "nothing listens there"
    SILENT = "nothing answers there"
    OPEN = "a server listens there, and gave no answer of a database"


def reach(address: Address) -> Reach | None:
    """None where there is no host and port to ask for: a socket, a named instance."""
    if address.host is None or address.port is None:
        return None
    try:
        with socket.create_connection((address.host, address.port), timeout=LONGEST_SECONDS):
            return Reach.OPEN
    except socket.gaierror:
        return Reach.HOST_UNKNOWN
    except ConnectionRefusedError:
        return Reach.REFUSED
    except (OSError, UnicodeError):
        return Reach.SILENT
