"""An address behind a firewall that swallows what is sent there: no refusal, no answer."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

WAITING = 4  # more than a queue of none takes: the kernel drops what comes after


@contextmanager
def swallowing() -> Iterator[str]:
    """host:port of a listener whose queue is full."""
    with ExitStack() as sockets:
        listening = sockets.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(WAITING):
            one = sockets.enter_context(socket.socket())
            one.setblocking(False)  # the standard library's own signature
            one.connect_ex(listening.getsockname())
        host, port = listening.getsockname()
        yield f"{host}:{port}"
