"""A TCP proxy before a service: passes on, refuses, cuts after some bytes, or delays;
for as long as it is told.
"""

from __future__ import annotations

import random
import selectors
import socket
import threading
import time
from contextlib import suppress
from enum import Enum

CHUNK = 65_536


class Mode(Enum):
    """What happens to connections, new and old."""

    PASS = "pass"
    REFUSE = "refuse"  # new ones are closed at once, old ones are cut
    HALVE = "halve"  # a piece is cut in the middle, and the connection after it
    DELAY = "delay"  # every piece waits a while


class Proxy:
    """Listens on a free port of its own. Start it as a context."""

    def __init__(self, port: int, seed: int = 1) -> None:
        self._target = ("127.0.0.1", port)
        self._rng = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.2)
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self.mode = Mode.PASS
        self.cut = 0  # connections that were cut
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Proxy:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(
            target=target,  # type: ignore[arg-type]
            args=arguments,
            daemon=True,
        )
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                near, _ = self._listener.accept()
                if self.mode is Mode.REFUSE:
                    near.close()
                else:
                    self._start(self._serve, near)

    def _serve(self, near: socket.socket) -> None:
        with (
            near,
            socket.create_connection(self._target) as far,
            selectors.DefaultSelector() as selector,
        ):
            selector.register(near, selectors.EVENT_READ, far)
            selector.register(far, selectors.EVENT_READ, near)
            while not self._closing.is_set():
                if self.mode is Mode.REFUSE:
                    self.cut += 1
                    return
                for key, _ in selector.select(0.1):
                    if not self._pass_on(key.fileobj, key.data):  # type: ignore[arg-type]
                        return

    def _pass_on(self, here: socket.socket, there: socket.socket) -> bool:
        with suppress(OSError):
            piece = here.recv(CHUNK)
            if not piece:
                return False
            match self.mode:
                case Mode.HALVE:
                    if self._rng.random() < 0.1:
                        there.sendall(piece[: len(piece) // 2])
                        self.cut += 1
                        return False
                case Mode.DELAY:
                    time.sleep(self._rng.random() * 0.05)
                case Mode.PASS | Mode.REFUSE:
                    pass
            there.sendall(piece)
            return True
        return False
