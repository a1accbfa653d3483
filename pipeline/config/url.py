"""A database URL's parts, by the grammar of SQLAlchemy's own `make_url`, which takes as long to
import as most commands take to answer. A test holds both to the same parts.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote_plus, unquote

_URL = re.compile(
    r"(?P<name>[\w+]+)://"
    r"(?P<login>(?P<username>[^:/]*)(?::(?P<password>[^@]*))?@)?"
    r"(?P<server>(?:\[(?P<ipv6>[^/?]+)\]|(?P<ipv4>[^/:?]+))?(?::(?P<port>[^/?]*))?)?"
    r"(?:/(?P<database>[^?]*))?"
    r"(?:\?(?P<query>.*))?"
)


@dataclass(frozen=True, slots=True)
class Url:
    """`backend`: postgresql or mssql, or what else stands there. Of a key that is repeated in the
    query, the last counts. `login` and `server` as they were typed, with what stands between.
    """

    drivername: str
    login: str
    server: str
    username: str | None
    password: str | None
    host: str | None
    port: int | None
    database: str | None
    query: Mapping[str, str]

    @property
    def backend(self) -> str:
        return self.drivername.partition("+")[0]

    def shown(self, plain: Container[str]) -> str:
        """Without its secrets: the password, and all of the query but the keys named `plain`."""
        login = self.login if self.password is None else f"{self.login.partition(':')[0]}:***@"
        database = "" if self.database is None else f"/{self.database}"
        told = sorted(
            (name.lower() not in plain, name, value) for name, value in self.query.items()
        )
        query = "&".join(
            f"{name}={'***' if is_secret else quote_plus(value)}" for is_secret, name, value in told
        )
        shown = f"{self.drivername}://{login}{self.server}{database}"
        return f"{shown}?{query}" if query else shown


def parsed(text: str) -> Url:
    """Raises ValueError, without repeating the text, for what is none."""
    found = _URL.match(text)
    if found is None:
        raise ValueError("no database URL")
    return Url(
        drivername=found["name"],
        login=found["login"] or "",
        server=found["server"] or "",
        username=_unquoted(found["username"]),
        password=_unquoted(found["password"]),
        host=found["ipv4"] or found["ipv6"],
        port=_number(found["port"]),
        database=_unquoted(found["database"]),
        query=dict(parse_qsl(found["query"] or "")),
    )


def _number(port: str | None) -> int | None:
    """As SQLAlchemy reads it: what Python takes for a number is one."""
    if port is None:
        return None
    with suppress(ValueError):
        return int(port)
    raise ValueError("a port that is no number")


def _unquoted(text: str | None) -> str | None:
    return None if text is None else unquote(text)
