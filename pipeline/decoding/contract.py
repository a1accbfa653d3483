"""The contract: which columns of a source table we rely on, and of which types;
each writer schema is held to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from pipeline.decoding.naming import field_name
from pipeline.errors import ConfigurationInvalid, ContractBroken
from pipeline.mapping.site import Site
from pipeline.mapping.source import SourceTable

# Connect's names of types whose values are encoded as numbers or text but are neither.
_MEANINGS: Final = (
    "io.debezium.time.",
    "io.debezium.data.VariableScaleDecimal",
    "org.apache.kafka.connect.data.",
)


@dataclass(frozen=True, slots=True)
class Contract:
    """Accepted Avro types by canonical table and column."""

    tables: Mapping[str, Mapping[str, frozenset[str]]]

    @classmethod
    def load(cls, *directories: Path) -> Contract:
        """Read every `<Table>.avsc` of these folders; a table may have columns in each.
        Raises ConfigurationInvalid when a folder holds none, or one that is broken.
        """
        tables: dict[str, dict[str, frozenset[str]]] = {}
        for directory in directories:
            paths = sorted(directory.glob("*.avsc"))
            if not paths:
                raise ConfigurationInvalid(f"No contract (*.avsc) in {directory}.")
            for path in paths:
                tables.setdefault(path.stem, {}).update(_columns(path))
        return cls(tables)

    def refuse_unlike(self, tables: Iterable[SourceTable]) -> None:
        """Raise ConfigurationInvalid unless the contract of each
        table names every column that we rely on.
        """
        for table in tables:
            if (
                not {column.name for column in table.columns}
                <= self.tables.get(table.name, {}).keys()
            ):
                raise ConfigurationInvalid(
                    f"The contract of {table.name} does not name the columns of its table."
                )

    def check(
        self,
        table: SourceTable,
        writer_schema: Mapping[str, Any],
        schema_id: int,
        site: Site,
        needed_by: Mapping[str, str],
    ) -> None:
        """Raise ContractBroken if a column that a mapping needs is
        missing or has a type that is not accepted.

        `needed_by` says which mapping lines need a column; one that none needs may be anything.
        The message names every broken column.
        """
        declared = {field["name"]: field["type"] for field in writer_schema["fields"]}
        broken = []
        for column in self.tables[table.name]:
            fault = self.fault(table, column, declared, site)
            if fault is not None and column in needed_by:
                broken.append(
                    f"{_place(table, column, site)} {fault}, needed by {needed_by[column]}"
                )
        if broken:
            raise ContractBroken(f"{table.name}, schema id {schema_id}: {'; '.join(broken)}.")

    def fault(
        self,
        table: SourceTable,
        column: str,
        declared: Mapping[str, Any],
        site: Site,
    ) -> str | None:
        """What is wrong with a column among a writer schema's declared fields;
        None if nothing is.
        """
        name = field_name(site.source_column(table.name, column))
        if name not in declared:
            return "is missing"
        accepted, found = (
            self.tables[table.name][column],
            types(declared[name]),
        )
        if found <= accepted:
            return None
        return f"has type {_words(found)}, accepted are {_words(accepted)}"


def _columns(path: Path) -> dict[str, frozenset[str]]:
    try:
        schema = orjson.loads(path.read_bytes())
        return {field["name"]: types(field["type"]) for field in schema["fields"]}
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationInvalid(
            f"{path.name} is not an Avro record ({type(error).__name__})."
        ) from error


def types(declared: Any) -> frozenset[str]:
    """The primitive types of a declared field type;
    a logical type is named by its own name.
    """
    if isinstance(declared, list):
        return frozenset[str]().union(*(types(branch) for branch in declared))
    if not isinstance(declared, dict):
        return frozenset({str(declared)})
    if "logicalType" in declared:
        return frozenset({str(declared["logicalType"])})
    meaning = str(declared.get("connect.name", ""))
    if meaning.startswith(_MEANINGS):
        return frozenset({meaning})
    return types(declared["type"])


def _words(names: frozenset[str]) -> str:
    return " or ".join(sorted(names, key=lambda name: (name != "null", name)))


def _place(table: SourceTable, column: str, site: Site) -> str:
    canonical = f"{table.name}.{column}"
    here = f"{site.source_table(table.name)}.{site.source_column(table.name, column)}"
    return canonical if here == canonical else f"{here} ({canonical})"
