"""The settings as text, generated from their model: the template and the reference page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard, get_args

import tomli_w
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.config.section import Section
from pipeline.config.settings import Settings


def keys() -> Iterator[tuple[str, str, FieldInfo]]:
    """Section ("" for the top, "routes.pim" for an inner one),
    key and field of all that can be set.
    """
    return _keys(Settings, "")


def _keys(model: type[BaseModel], section: str) -> Iterator[tuple[str, str, FieldInfo]]:
    for name, field in model.model_fields.items():
        inner = next(
            (one for one in (field.annotation, *get_args(field.annotation)) if _is_section(one)),
            None,
        )
        if inner is None:
            yield section, field.alias or name, field
        else:
            yield from _keys(inner, f"{section}.{name}".removeprefix("."))


def _is_section(annotation: object) -> TypeGuard[type[Section]]:
    return isinstance(annotation, type) and issubclass(annotation, Section)


def default_text(field: FieldInfo) -> str:
    """The default as TOML writes it; "required" or "none" where there is none."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return (
        "none"
        if value is None
        else tomli_w.dumps({"x": value}).strip().removeprefix("x = ").replace("[x]", "{}")
    )


EXAMPLES = {
    "sources.ajera": "mssql+pyodbc://ajera_cdc:PASSWORD@SERVER/Ajera",
    "sources.dps": "mssql+pyodbc://ajera_cdc:PASSWORD@SERVER/Vantagepoint",
    "routes.pim": "mssql+pyodbc://pim_cdc:PASSWORD@SERVER/PIM",
}
OPTIONAL = ("sources.dps", "routes.dps")
HEAD = "# ajera-cdc: settings. Every key can be overridden by the environment: AJERA_CDC_<SECTION>__<KEY>,"
SECOND = "# for example AJERA_CDC_ROUTES__PIM__DATABASE. One route at least is needed."
EXCHANGE = (
    "# The exchange with DPS: take away the # in front of the sections and of the keys to be set."
)


def template() -> str:
    """The file with every key documented in place; keys with a default are commented out."""
    lines, optional = [HEAD, SECOND], ["", EXCHANGE]
    current = ""
    for section, key, field in keys():
        into, mark = (optional, "#") if section in OPTIONAL else (lines, "")
        if section != current:
            current = section
            into += ["", f"{mark}[{section}]"]
        into += ["", f"# {field.description}"]
        default = default_text(field)
        if default == "required":
            into.append(f'{mark}{key} = "{EXAMPLES[section]}"')
        else:
            into.append(f"{mark or '# '}{key} = {chr(34) * 2 if default == 'none' else default}")
    return "\n".join(lines + optional) + "\n"


def reference() -> str:
    """Markdown of every key."""
    lines = ["| key | default | meaning |", "|---|---|---|"]
    for section, key, field in keys():
        name = f"{section}.{key}" if section else key
        lines.append(f"| `{name}` | `{default_text(field)}` | {field.description} |")
    return "\n".join(lines) + "\n"
