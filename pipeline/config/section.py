"""What every table of the settings file is made of."""

from __future__ import annotations

import re
import tomllib
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SecretStr,
    model_validator,
)

from pipeline.config.url import Url, parsed
from pipeline.errors import ConfigurationInvalid

_BROKER = re.compile(
    r"(?:(?:PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)://)?"
    r"(?:\[[0-9a-fA-F:.]+\]|[^\s:/@\[\]]+)(?::(?P<port>\d{1,5}))?"
)


def _is_database_url(secret: SecretStr) -> SecretStr:
    _database_url(secret)
    return secret


def _database_url(secret: SecretStr) -> Url:
    try:
        url = parsed(secret.get_secret_value())
    except ValueError:
        raise ValueError(
            "is not a SQLAlchemy URL (dialect+driver://user:password@host/database)"
        ) from None
    if url.backend not in ("postgresql", "mssql"):
        raise ValueError("must begin with mssql+pyodbc:// or postgresql+psycopg://")
    if url.backend == "postgresql" and not url.database:
        raise ValueError("names no database: its name is the last part, after the port and a /")
    if url.backend == "mssql" and not url.host and "odbc_connect" not in url.query:
        raise ValueError("names no host")
    return url


def _is_web_address(address: str) -> str:
    """One or more, comma-separated. An address is shown, logged and sent to Connect, so a password
    has no place in it.
    """
    for one in address.split(","):
        parts = urlsplit(one.strip())
        if "@" in parts.netloc:
            raise ValueError("must hold no user and password; there are keys for these")
        try:
            is_whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            is_whole = False
        if not is_whole:
            raise ValueError("is not an address of the form http://host:port/path")
    return address


def _are_brokers(addresses: str) -> str:
    for one in addresses.split(","):
        if "@" in one:
            raise ValueError("must hold no user and password; there are keys for these")
        found = _BROKER.fullmatch(one.strip())
        if found is None or not 0 < int(found["port"] or 9092) < 65536:
            raise ValueError("is not a list of host:port, comma-separated")
    return addresses


def _table_of_text(value: Any) -> Any:
    """What an environment variable says of a table: TOML's inline form."""
    return tomllib.loads(f"x = {value}")["x"] if isinstance(value, str) else value


DatabaseUrl = Annotated[SecretStr, AfterValidator(_is_database_url)]
Address = Annotated[str, AfterValidator(_is_web_address)]
Brokers = Annotated[str, AfterValidator(_are_brokers)]
ClientSettings = Annotated[dict[str, SecretStr], BeforeValidator(_table_of_text)]


class Section(BaseModel):
    """A table of the file: unknown keys are faults, values do not change. `may_be_empty`: settings
    for which an empty text means something.
    """

    may_be_empty: ClassVar[frozenset[str]] = frozenset()

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, raw: Any) -> Any:
        """TOML has no null: an empty text in place of a value
        that may be missing means that it is.
        """
        if not isinstance(raw, dict):
            return raw
        optional = {
            field.alias or name for name, field in cls.model_fields.items() if field.default is None
        }
        return {
            name: value for name, value in raw.items() if not (value == "" and name in optional)
        }

    @model_validator(mode="after")
    def _names_are_not_blank(self) -> Self:
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            is_meant = field.default == value or (value == "" and name in self.may_be_empty)
            if isinstance(value, str) and not value.strip() and not is_meant:
                raise ValueError(f"{field.alias or name} is empty")
        return self


def database_url(secret: SecretStr, key: str) -> Url:
    """A database URL of one of the two dialects. Raises ConfigurationInvalid without quoting it."""
    try:
        return _database_url(secret)
    except ValueError as error:
        raise ConfigurationInvalid(f"{key}: {error}.") from None
