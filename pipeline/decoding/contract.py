"""The contract: which columns we rely on, and of which Avro types. Each new writer schema is checked against it once.

`schemas/<system>/<Table>.avsc` lists for every column the types that a writer may use. Columns that a writer adds are
fine. A column that is missing, or has a type that is not listed, halts its table: what the mapping lines that need it
would write is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from pipeline.errors import ContractBroken
from pipeline.mapping.site import Site
from pipeline.mapping.source import SourceTable
from pipeline.mapping.table import Column, Derived, TableMapping

Types = frozenset[str]
Schema = Mapping[str, Any]  # Avro JSON


class Contract:
    """The accepted types of every column: table -> column -> Avro type names."""

    def __init__(self, tables: Mapping[str, Mapping[str, Types]], needed_by: Mapping[str, Sequence[str]]) -> None:
        self._tables, self._needed_by = tables, needed_by

    @classmethod
    def load(cls, directory: Path, needed_by: Mapping[str, Sequence[str]]) -> Contract:
        """Read every .avsc of a folder."""
        schemas = [orjson.loads(path.read_bytes()) for path in sorted(directory.glob("*.avsc"))]
        return cls({s["name"]: {f["name"]: _types(f["type"]) for f in s["fields"]} for s in schemas}, needed_by)

    @property
    def tables(self) -> Mapping[str, Mapping[str, Types]]:
        return self._tables

    def check(self, table: SourceTable, writer: Schema, schema_id: int, site: Site) -> None:
        """Raises ContractBroken naming every column at fault, the mapping lines that need it, and the schema id."""
        held = {field["name"]: _types(field["type"]) for field in writer.get("fields", ())}
        faults = []
        for column in table.columns:
            name = site.source_column(table.name, column.name)
            accepted = self._tables[table.name][column.name]
            if name not in held:
                faults.append(self._fault(column.name, name, "is missing"))
            elif not held[name] <= accepted | {"null"}:
                found = ", ".join(sorted(held[name] - accepted - {"null"}))
                faults.append(
                    self._fault(column.name, name, f"is now {found}, not {'/'.join(sorted(accepted - {'null'}))}")
                )
        if faults:
            place = f"{site.source_table(table.name)}, schema id {schema_id}"
            raise ContractBroken(f"{place}: {'; '.join(faults)}.")

    def _fault(self, column: str, name: str, what: str) -> str:
        lines = ", ".join(self._needed_by.get(column, ("the ledger",)))
        called = column if column == name else f"{name} ({column})"
        return f"column {called} {what}; needed by {lines}"


def _types(avro: object) -> Types:
    """The names of the types in an Avro type; a logical type counts as a type of its own."""
    match avro:
        case str():
            return frozenset({avro})
        case list():
            return frozenset().union(*(_types(branch) for branch in avro))
        case {"logicalType": str(logical)}:
            return frozenset({logical})
        case {"connect.name": str(name)} if name.startswith(("io.debezium.time", "org.apache.kafka.connect.data")):
            return frozenset({name})
        case {"type": inner}:
            return _types(inner)
        case _:
            return frozenset({"unknown"})


def needed_by(mappings: Sequence[TableMapping]) -> dict[str, list[str]]:
    """For each source column, the mapping lines that read it, as "client: Organization.Name"."""
    lines: dict[str, list[str]] = {}
    for mapping in mappings:
        for line in mapping.lines:
            columns: tuple[str, ...] = ()
            if isinstance(line, Column):
                columns = (line.source,)
            elif isinstance(line, Derived):
                columns = line.expression.columns
            for column in columns:
                lines.setdefault(column, []).append(f"{mapping.name}: {mapping.target}.{line.target}")
        for path in mapping.paths:
            lines.setdefault(path.column, []).append(f"{mapping.name}: rows of {path.table}")
        for column in mapping.key.expression.columns:
            lines.setdefault(column, []).append(f"{mapping.name}: {mapping.target}.{mapping.key.target}")
    return lines
