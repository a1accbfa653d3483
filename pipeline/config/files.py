"""TOML files as people write them, and what is wrong with their keys."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError


def read_toml(file: Path) -> dict[str, Any]:
    """TOML as editors save it, with or without a byte order mark. Raises OSError,
    or ValueError for what is none.
    """
    return tomllib.loads(file.read_text(encoding="utf-8-sig"))


def not_toml(error: ValueError) -> str:
    return (
        f"is not TOML: {error}"
        if isinstance(error, tomllib.TOMLDecodeError)
        else "is not UTF-8: save it as such"
    )


def faults(error: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    """One line a fault: the key, and what is wrong with it. Never the value."""
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        place = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            known = _keys(model, fault["loc"][:-1])
            near = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1)
            yield f"{place}: there is no such key{f'; did you mean {near[0]}?' if near else '.'}"
        else:
            told = fault["msg"].removeprefix("Value error, ")
            yield f"{place}: {told}." if place else f"{told}."


def _keys(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    for part in path:
        field = model.model_fields.get(str(part))
        annotations = () if field is None else (field.annotation, *get_args(field.annotation))
        inner = [one for one in annotations if isinstance(one, type) and issubclass(one, BaseModel)]
        if not inner:
            return []
        model = inner[0]
    return [field.alias or name for name, field in model.model_fields.items()]
