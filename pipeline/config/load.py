"""Reading the settings: one TOML file with environment overrides, all faults reported at once."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.config.files import faults, not_toml, read_toml
from pipeline.config.renamed import with_new_names
from pipeline.config.settings import (
    DEFAULT_FILE,
    ENVIRONMENT,
    Settings,
    settings_for,
)
from pipeline.domain.routes import Routes
from pipeline.errors import ConfigurationInvalid, EditionUnsupported


def load(path: Path | None, environ: Mapping[str, str], routes: Routes) -> Settings:
    """Settings from the file, overridden by `AJERA_CDC_<SECTION>__<KEY>`, of a program with these
    routes. Raises ConfigurationInvalid with all faults.
    """
    file = path or Path(environ.get(f"{ENVIRONMENT}CONFIG", DEFAULT_FILE))
    try:
        raw = read_toml(file)
    except FileNotFoundError:
        raise ConfigurationInvalid(
            f"{file} is not there; `ajera-cdc config template` prints one to fill in."
        ) from None
    except OSError as error:
        raise ConfigurationInvalid(f"{file} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise ConfigurationInvalid(f"{file} {not_toml(error)}.") from None
    raw, renamed = with_new_names(overridden(raw, environ))
    model = settings_for(routes)
    try:
        settings = model.model_validate(raw)
    except ValidationError as error:
        raise ConfigurationInvalid("\n".join([*renamed, *faults(error, model)])) from None
    if renamed:
        raise ConfigurationInvalid("\n".join(renamed))
    if settings.ajera.edition != "ajera":
        raise EditionUnsupported(f'sources.ajera.edition is "{settings.ajera.edition}".')
    if settings.profile is None or settings.profile.is_absolute():
        return settings
    return settings.model_copy(update={"profile": file.parent / settings.profile})


def overridden(raw: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The file's tables with the environment's values:
    `AJERA_CDC_ROUTES__PIM__GROUP` is routes.pim.group.

    A section that is no table is left for the model to refuse.
    """
    found = deepcopy(dict(raw))
    for name, value in environ.items():
        path = name.removeprefix(ENVIRONMENT).lower().split("__")
        if name.startswith(ENVIRONMENT) and (len(path) > 1 or path == ["profile"]):
            _set(found, path, value)
    return found


def _set(tables: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        inner = tables.setdefault(part, {})
        if not isinstance(inner, dict):
            return
        tables = inner
    tables[path[-1]] = value
