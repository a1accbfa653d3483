"""Connector configurations: JSON templates in `connectors/`,
filled with the values of this installation.

A placeholder is `@{name}`. `${env:…}` and the like are Connect's own and pass through: secrets are
resolved by the Connect worker and are never in a configuration that is sent to it.
`docs/reference/connectors.md` explains each setting.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from typing import Final, Literal

import orjson

from pipeline.errors import ConfigurationInvalid
from pipeline.resources import connectors_directory

Dialect = Literal["sqlserver", "postgres"]
RegistryKind = Literal["apicurio", "confluent"]

NEVER: Final = "(?!)"


class _Setting(string.Template):
    """Text with `@{name}` placeholders; any other `@` or `$` is itself."""

    delimiter = "@"
    flags = re.NOFLAG
    pattern = (
        rf"@\{{(?P<braced>[a-z][a-z0-9_]*)\}}"  # type: ignore[assignment]
        rf"|(?P<named>{NEVER})|(?P<escaped>{NEVER})|(?P<invalid>{NEVER})"
    )


def load(system: str, dialect: Dialect, registry: RegistryKind = "apicurio") -> dict[str, str]:
    """The template for a source system (`ajera`) in a database dialect,
    with the converter of the registry merged in.

    Raises ConfigurationInvalid if there is none, or if both define the same setting.
    """
    template, converter = (
        _read(f"{system}-{dialect}"),
        _read(f"converter-{registry}"),
    )
    twice = sorted(template.keys() & converter.keys())
    if twice:
        raise ConfigurationInvalid(
            f"connectors/{system}-{dialect}.json sets the converter's {', '.join(twice)}."
        )
    return template | converter


def placeholders(template: Mapping[str, str]) -> frozenset[str]:
    """The names that a template wants values for."""
    return frozenset(
        name for text in template.values() for name in _Setting(text).get_identifiers()
    )


def fill(template: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """The configuration to send to Connect. A setting that becomes empty is left out:
    it keeps its own default.

    Raises ConfigurationInvalid naming every placeholder without
    a value and every value without a placeholder.
    """
    wanted = placeholders(template)
    faults = [
        *_faults("missing", wanted - values.keys()),
        *_faults("not in the template", values.keys() - wanted),
    ]
    if faults:
        raise ConfigurationInvalid(f"Connector settings: {'; '.join(faults)}.")
    filled = {name: _Setting(text).substitute(values) for name, text in template.items()}
    return {name: text for name, text in filled.items() if text}


def _faults(what: str, names: frozenset[str] | set[str]) -> Iterator[str]:
    if names:
        yield f"{what}: {', '.join(sorted(names))}"


def _read(name: str) -> dict[str, str]:
    path = connectors_directory() / f"{name}.json"
    try:
        found = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise ConfigurationInvalid(f"There is no template connectors/{name}.json.") from None
    except ValueError as error:
        raise ConfigurationInvalid(f"connectors/{name}.json is not JSON: {error}.") from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ConfigurationInvalid(f"connectors/{name}.json must be one object of texts.")
    return found
