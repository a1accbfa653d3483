"""Writer schemas from a schema registry that speaks Confluent's API (Confluent's own,
or Apicurio at /apis/ccompat/v7).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka.schema_registry import (
    Schema,
    SchemaRegistryClient,
    SchemaRegistryError,
)

from pipeline.errors import (
    ConfigurationInvalid,
    ContractBroken,
    CredentialsRefused,
    PipelineError,
    RegistryUnavailable,
    SchemaUnknown,
)
from pipeline.network import no_answer

NUMBER_SETTINGS: Final = (
    "timeout",
    "max.retries",
    "retries.wait.ms",
    "retries.max.wait.ms",
    "cache.capacity",
)
DEFAULTS: Final[Mapping[str, Any]] = {
    "timeout": 5.0,
    "max.retries": 0,
}  # the engine retries, with its own pauses
SCHEMA_NOT_FOUND: Final = 40403
REFUSED_STATUSES: Final = (401, 403)
NOT_FOUND_STATUS: Final = 404


class Registry:
    """Fetches schemas by id. Each schema is fetched once and cached for the life of the process.

    `url` is the API's root (`http://host:8080/apis/ccompat/v7` for Apicurio), several separated by
    commas. `settings` are SchemaRegistryClient's own names (`basic.auth.user.info`,
    `ssl.ca.location`, `timeout` in seconds …).
    Raises ConfigurationInvalid for settings that the client does not know.
    """

    def __init__(self, url: str, settings: Mapping[str, str]) -> None:
        numbers = {
            name: _number(name, settings[name]) for name in NUMBER_SETTINGS if name in settings
        }
        self._asked = f"The registry at {url}, asked"
        try:
            self._client = SchemaRegistryClient({**DEFAULTS, **settings, **numbers, "url": url})
        except (ValueError, TypeError, OSError) as error:
            # An address may contain a password, so it is not shown.
            reason = (
                f"{error}"
                if "url" not in f"{error}".lower()
                else "the address or its credentials are not usable"
            )
            raise ConfigurationInvalid(f"registry settings: {reason}.") from None

    def writer_schema(self, schema_id: int) -> str:
        """The Avro schema with this id, as JSON text.

        Raises SchemaUnknown (no such id), RegistryUnavailable (no answer, or not a registry's),
        ContractBroken (the schema is not self-contained Avro).
        """
        try:
            schema = self._client.get_schema(schema_id)
        except SchemaRegistryError as error:
            raise _refusal(self._asked, schema_id, error) from error
        except Exception as error:
            # The client raises its HTTP library's errors,
            # its token provider's and JSON's unchanged.
            doing = f"{self._asked} for schema {schema_id}"
            raise no_answer(doing, error, RegistryUnavailable) from error
        return _self_contained_avro(schema_id, schema)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigurationInvalid(f"registry settings: {name} is not a number.") from None


def _refusal(asked: str, schema_id: int, error: SchemaRegistryError) -> PipelineError:
    status, code = error.http_status_code, error.error_code
    if status == NOT_FOUND_STATUS and code == SCHEMA_NOT_FOUND:
        return SchemaUnknown(f"The registry has no schema with id {schema_id}.")
    if status == NOT_FOUND_STATUS:
        return RegistryUnavailable(
            f"{asked} for schema {schema_id}: HTTP 404 without a registry's error code; "
            "`registry.url` is not an API root."
        )
    if status in REFUSED_STATUSES:
        return CredentialsRefused(
            f"{asked} for schema {schema_id}: the user or the password is refused (HTTP {status})."
        )
    return RegistryUnavailable(f"{asked} for schema {schema_id}: HTTP {status}, code {code}.")


def _self_contained_avro(schema_id: int, schema: Schema) -> str:
    if (schema.schema_type or "AVRO") != "AVRO":
        raise ContractBroken(
            f"Schema {schema_id} is {schema.schema_type}, not AVRO: another converter wrote the "
            "message."
        )
    if schema.references:
        raise ContractBroken(
            f"Schema {schema_id} refers to other schemas; only self-contained ones are supported."
        )
    if not schema.schema_str:
        raise RegistryUnavailable(f"The registry's answer for schema {schema_id} holds no schema.")
    return str(schema.schema_str)
