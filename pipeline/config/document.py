"""The settings as text, generated from their model: the template and the reference page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeGuard, get_args

import tomli_w
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.config.section import Section
from pipeline.config.settings import settings_for
from pipeline.domain.routes import AnyRoute, Routes


def keys(routes: Routes) -> Iterator[tuple[str, str, FieldInfo]]:
    """Section ("" for the top, "routes.<name>" for an inner one),
    key and field of all that can be set in a program with these routes.
    """
    return _keys(settings_for(routes), "")


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


SOURCES = {
    "sources.ajera": "mssql+pyodbc://ajera_cdc:PASSWORD@SERVER/Ajera",
    "sources.dps": "mssql+pyodbc://ajera_cdc:PASSWORD@SERVER/Vantagepoint",
}
HEAD = (
    "# ajera-cdc: settings. Every key can be overridden by the environment: "
    "AJERA_CDC_<SECTION>__<KEY>,"
)
SECOND = "# for example AJERA_CDC_ROUTES__{}__DATABASE. One route at least is needed."
FURTHER = "# {}: remove the # in front of the sections and of the keys to be set."


def template(routes: Routes) -> str:
    """The file with every key documented in place; keys with a default are commented out,
    and so is every route but the first, with what it alone reads.
    """
    first, *further = routes
    sections: dict[str, list[str]] = {}
    apart = _apart(further, first)
    examples = SOURCES | {f"routes.{one.name}": _example(one) for one in routes}
    for section, key, field in keys(routes):
        if section.startswith("sources.") and section not in (
            *apart,
            *_sources(first),
        ):
            continue  # no route reads it
        mark = "#" if section in apart else ""
        if section not in sections:
            sections[section] = ["", f"{mark}[{section}]"] if section else []
        default = default_text(field)
        sections[section] += ["", f"# {field.description}"]
        if default == "required":
            sections[section].append(f'{mark}{key} = "{examples[section]}"')
        else:
            value = '""' if default == "none" else default
            sections[section].append(f"{mark or '# '}{key} = {value}")
    lines = [HEAD, SECOND.format(first.name.upper())]
    for section, told in sections.items():
        lines += [] if section in apart else told
    for route in further:
        lines += ["", FURTHER.format(route.title)]
        for section in (one for one, reader in apart.items() if reader is route):
            lines += sections[section]
    return "\n".join(lines) + "\n"


def _apart(further: Sequence[AnyRoute], first: AnyRoute) -> dict[str, AnyRoute]:
    """The sections that come with a further route: its own, and of the sources that no route
    before it reads.
    """
    found: dict[str, AnyRoute] = {}
    for route in further:
        for section in _sources(route):
            if section not in _sources(first):
                found.setdefault(section, route)
        found[f"routes.{route.name}"] = route
    return found


def _sources(route: AnyRoute) -> list[str]:
    return [f"sources.{system}" for system in route.reads]


def _example(route: AnyRoute) -> str:
    return f"mssql+pyodbc://{route.name}_cdc:PASSWORD@SERVER/{route.name.upper()}"


def reference(routes: Routes) -> str:
    """Markdown of every key."""
    lines = ["| key | default | meaning |", "|---|---|---|"]
    for section, key, field in keys(routes):
        name = f"{section}.{key}" if section else key
        lines.append(f"| `{name}` | `{default_text(field)}` | {field.description} |")
    return "\n".join(lines) + "\n"
