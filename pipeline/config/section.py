"""What every table of the settings file is made of."""

from __future__ import annotations

import tomllib
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SecretStr,
    model_validator,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from pipeline.errors import ConfigurationInvalid


def _is_database_url(secret: SecretStr) -> SecretStr:
    try:
        backend = make_url(secret.get_secret_value()).get_backend_name()
    except (ArgumentError, ValueError):
        raise ValueError(
            "is not a SQLAlchemy URL (dialect+driver://user:password@host/database)"
        ) from None
    if backend not in ("postgresql", "mssql"):
        raise ValueError("must begin with mssql+pyodbc:// or postgresql+psycopg://")
    return secret


def _holds_no_credentials(address: str) -> str:
    """An address is shown, logged and sent to Connect, so a password has no place in it."""
    if any("@" in urlsplit(one).netloc for one in address.split(",")):
        raise ValueError("must hold no user and password; there are keys for these")
    return address


def _table_of_text(value: Any) -> Any:
    """What an environment variable says of a table: TOML's inline form."""
    return tomllib.loads(f"x = {value}")["x"] if isinstance(value, str) else value


DatabaseUrl = Annotated[SecretStr, AfterValidator(_is_database_url)]
Address = Annotated[str, AfterValidator(_holds_no_credentials)]
ClientSettings = Annotated[dict[str, SecretStr], BeforeValidator(_table_of_text)]


class Section(BaseModel):
    """A table of the file: unknown keys are faults, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

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


def database_url(secret: SecretStr, key: str) -> URL:
    """A database URL of one of the two dialects. Raises ConfigurationInvalid without quoting it."""
    try:
        return make_url(_is_database_url(secret).get_secret_value())
    except ValueError as error:
        raise ConfigurationInvalid(f"{key}: {error}.") from None
