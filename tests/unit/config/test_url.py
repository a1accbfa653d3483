"""A database URL's parts are those that SQLAlchemy connects by."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from pipeline.config.url import parsed

URLS = (
    "postgresql+psycopg://user:secret@host:5432/firm",
    "postgresql://host/firm",
    "postgresql+psycopg://us%40er:p%3Ass%2F%40@[::1]:5432/a%20firm?sslmode=require",
    "postgresql+psycopg:///firm?host=/var/run/postgresql",
    "postgresql+psycopg://user:@host/",
    "mssql+pyodbc://user:secret@server%5Cinstance/Ajera?driver=ODBC+Driver+18&Encrypt=no",
    "mssql+pyodbc:///?odbc_connect=DRIVER%3DX%3BPWD%3Da%3Bb",
    "mssql+pyodbc://@dsn",
    "sqlite://",
    "postgresql",
    "://host",
    "postgresql://host:port/firm",
    "postgresql://host:+5432/firm",
    "",
)
PARTS = st.text(st.sampled_from("aB05:/@?[]%=&+-_. é"), max_size=12)


def parts_of(text: str) -> tuple[object, ...] | None:
    """As SQLAlchemy has them; of a key that is repeated, the last."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        return None
    query = {name: one if isinstance(one, str) else one[-1] for name, one in url.query.items()}
    return url.drivername, url.username, url.password, url.host, url.port, url.database, query


def ours(text: str) -> tuple[object, ...] | None:
    try:
        url = parsed(text)
    except ValueError:
        return None
    query = dict(url.query)
    return url.drivername, url.username, url.password, url.host, url.port, url.database, query


@pytest.mark.parametrize("text", URLS)
def test_a_url_has_the_parts_that_sqlalchemy_reads(text: str) -> None:
    """Also what is percent-encoded, an IPv6 address, and what is no URL."""
    assert ours(text) == parts_of(text)


@settings(deadline=None)
@given(PARTS, PARTS, PARTS)
def test_any_text_has_the_parts_that_sqlalchemy_reads(login: str, server: str, rest: str) -> None:
    """Whatever stands where: a URL of one is a URL of the other."""
    text = f"postgresql+psycopg://{login}@{server}/{rest}"
    assert ours(text) == parts_of(text)
