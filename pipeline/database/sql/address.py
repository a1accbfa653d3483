"""Which database an engine connects to, as errors name it: never with its password."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.engine import URL

OPTION = "ajera_cdc_database"  # an execution option of our engines
PORTS = {"postgresql": 5432, "mssql": 1433}
# Each part of a connection string, from its beginning to its end: a password in braces may hold
# what looks like another part.
_PARTS = re.compile(r"\s*([^=;]*?)\s*=\s*(\{(?:[^}]|\}\})*\}|[^;]*)\s*(?:;|$)")


@dataclass(frozen=True, slots=True)
class Address:
    """`name` is what we call the database: PIM, Ajera, DPS. `port` None where the host is a socket
    or an instance that is looked up by name.
    """

    name: str = "the database"
    host: str | None = None
    port: int | None = None
    database: str | None = None
    user: str | None = None

    @property
    def server(self) -> str:
        """host:port."""
        host = self.host or "its server"
        return host if self.port is None else f"{host}:{self.port}"

    def __str__(self) -> str:
        if self.host is None:
            return self.name
        database = f"/{self.database}" if self.database else ""
        user = f" as {self.user}" if self.user else ""
        return f"{self.name} at {self.server}{database}{user}"


UNNAMED = Address()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an error occurred: what it was about (a table), in which database. Not `at_statement`:
    nothing was asked of the server, it may be the connecting that failed.
    """

    about: str
    address: Address = UNNAMED
    at_statement: bool = True


def address(url: URL, name: str = UNNAMED.name) -> Address:
    """What a database's URL says of it."""
    whole = url.query.get("odbc_connect")
    if isinstance(whole, str):
        given = {key.lower(): value.strip("{} ") for key, value in _PARTS.findall(whole)}
        host, port = _server(given.get("server"))
        return Address(name, host, port, given.get("database"), given.get("uid"))
    backend = url.get_backend_name()
    host, port = url.host, url.port
    if host is None and backend == "postgresql":
        named = url.query.get("host", "localhost")
        host = named if isinstance(named, str) else ",".join(named)
    if host is not None and port is None and not re.search(r"[\\/,]", host):
        is_named_source = backend == "mssql" and url.database is None
        port = None if is_named_source else PORTS.get(backend)
    return Address(name, host, port, url.database, url.username)


def _server(text: str | None) -> tuple[str | None, int | None]:
    """`tcp:host,port` of a connection string."""
    if not text:
        return None, None
    host, _, port = text.removeprefix("tcp:").partition(",")
    if port.strip().isdigit():
        return host, int(port)
    return host, None if "\\" in host else PORTS["mssql"]


def address_of(engine: Engine) -> Address:
    """The address that an engine was made with; what its URL says, where it is none of ours."""
    known = engine.get_execution_options().get(OPTION)
    return known if isinstance(known, Address) else address(engine.url)
