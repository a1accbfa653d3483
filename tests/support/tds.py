"""A server that speaks just enough of SQL Server's protocol (TDS) to refuse a login: the real ODBC
driver connects to it, and reports what the server said.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

ANSWER, LOGIN = 0x04, 0x10
NO_ENCRYPTION = b"\x02"
DONE = b"\xfd" + struct.pack("<HHQ", 2, 0, 0)
Refusal = tuple[int, str]  # error number, text


@contextmanager
def refusing(*refusals: Refusal, hangs_up: bool = False) -> Iterator[int]:
    """The port of a server that answers each login with these errors, or hangs up before it."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = threading.Thread(target=_serve, args=(listening, refusals, hangs_up))
        server.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            server.join(timeout=10)


def _serve(listening: socket.socket, refusals: Sequence[Refusal], hangs_up: bool) -> None:
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        with client:
            if _read(client) is None or hangs_up:
                continue
            client.sendall(_packet(_offers()))
            if _read(client) == LOGIN:
                client.sendall(_packet(b"".join(map(_error, refusals)) + DONE))


def _read(client: socket.socket) -> int | None:
    """The kind of the next packet; None at the end."""
    header = _exactly(client, 8)
    if len(header) < 8:
        return None
    _exactly(client, int(struct.unpack(">H", header[2:4])[0]) - 8)
    return header[0]


def _exactly(client: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        more = client.recv(length - len(found))
        if not more:
            break
        found += more
    return found


def _packet(body: bytes) -> bytes:
    return struct.pack(">BBHHBB", ANSWER, 1, len(body) + 8, 0, 1, 0) + body


def _offers() -> bytes:
    """What a server says first: its version (16), and that it has no encryption."""
    options = struct.pack(">BHH", 0, 11, 6) + struct.pack(">BHH", 1, 17, 1) + b"\xff"
    return options + bytes([16, 0, 0x10, 0, 0, 0]) + NO_ENCRYPTION


def _error(refusal: Refusal) -> bytes:
    number, text = refusal
    body = struct.pack("<IBB", number, 1, 14) + struct.pack("<H", len(text))
    body += text.encode("utf-16le") + b"\x00\x00" + struct.pack("<I", 1)
    return b"\xaa" + struct.pack("<H", len(body)) + body
