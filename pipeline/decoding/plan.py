"""How rows of one table are taken from bodies of one writer schema: worked out once,
used for every message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

from pipeline.decoding.avro import Schemas, WriterSchema
from pipeline.decoding.contract import Contract
from pipeline.decoding.metadata import (
    PositionOf,
    position_of_postgres,
    position_of_sqlserver,
)
from pipeline.decoding.naming import field_name
from pipeline.decoding.runs import Run, run_of
from pipeline.decoding.values import Conversion, conversion
from pipeline.errors import ContractBroken, MetadataMissing, PipelineError
from pipeline.mapping.site import Site
from pipeline.mapping.source import SourceTable

REQUIRED: Final = (
    "__op",
    "__deleted",
    "__source_snapshot",
    "__epoch",
    "__source_ts_ms",
)
POSTGRES: Final = ("__source_sequence",)
SQLSERVER: Final = (
    "__source_commit_lsn",
    "__source_change_lsn",
    "__source_event_serial_no",
)


CAPTURED: Final = "__ts_ms"
# A row by canonical column; then the connector's fields: __op, __deleted, __source_snapshot,
# __epoch, __source_ts_ms, __ts_ms (None: it does not say); last, those of the position.
Taken = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How rows of one table are taken from bodies of one writer schema."""

    schema: WriterSchema
    columns: tuple[tuple[str, str], ...]  # fields, and the canonical columns that they give
    key_columns: tuple[
        str | None, ...
    ]  # the canonical key columns, None for one that the row does not carry
    position: PositionOf
    places: tuple[str, ...]  # the connector's fields that a position is made of
    conversions: Mapping[str, Conversion]  # of canonical columns that arrive in another form
    run: Run | None  # many messages at once; None: each alone

    def read(self, body: bytes) -> Taken:
        """A row as it arrives, and what the connector says of it. Raises MessageMalformed."""
        flat = self.schema.read(body)
        row = {canonical: flat[name] for name, canonical in self.columns}
        return row, *(flat.get(name) for name in (*REQUIRED, CAPTURED, *self.places))


@dataclass(frozen=True, slots=True)
class Envelope:
    """A schema of events that were not flattened:
    all that can be read is whether they report a truncate.
    """

    schema: WriterSchema


class Plans:
    """The plan of each table and schema id, or why there is none. A fault of the
    schema itself is found once.
    """

    def __init__(
        self,
        schemas: Schemas,
        contract: Contract,
        site: Site,
        needed_by: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._schemas = schemas
        self._contract = contract
        self._site = site
        self._needed_by = needed_by
        self._known: dict[tuple[str, int], Plan | Envelope | PipelineError] = {}

    def find(self, table: SourceTable, schema_id: int) -> Plan | Envelope | PipelineError:
        known = self._known.get((table.name, schema_id))
        if known is not None:
            return known
        schema = self._schemas.find(schema_id)
        if isinstance(schema, PipelineError):
            return schema
        found = self._make(table, schema)
        self._known[table.name, schema_id] = found
        return found

    def _make(self, table: SourceTable, schema: WriterSchema) -> Plan | Envelope | PipelineError:
        fields = schema.fields
        if "__op" not in fields and {"op", "source"} <= fields.keys():
            return Envelope(schema)
        places = POSTGRES if POSTGRES[0] in fields else SQLSERVER
        lacking = [name for name in (*REQUIRED, *places) if name not in fields]
        if lacking:
            return MetadataMissing(
                f"{table.name}, schema id {schema.schema_id} lacks {', '.join(lacking)}."
            )
        needed = self._needed_by.get(table.name, {})
        try:
            self._contract.check(table, schema.declared, schema.schema_id, self._site, needed)
        except ContractBroken as error:
            return error.with_traceback(None)
        columns = tuple(self._usable(table, fields))
        canonical = {name for _, name in columns}
        conversions = dict(self._conversions(table, canonical, fields))
        position = position_of_postgres if places is POSTGRES else position_of_sqlserver
        return Plan(
            schema=schema,
            columns=columns,
            key_columns=tuple(c.name if c.name in canonical else None for c in table.key_columns),
            position=position,
            places=places,
            conversions=conversions,
            run=run_of(table, schema, self._site, columns, conversions, (position, places)),
        )

    def _usable(self, table: SourceTable, fields: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Columns as the contract declares them. Others are there only if nobody needs them,
        and are left out.
        """
        return [
            (
                field_name(self._site.source_column(table.name, column.name)),
                column.name,
            )
            for column in table.columns
            if self._contract.fault(table, column.name, fields, self._site) is None
        ]

    def _conversions(
        self,
        table: SourceTable,
        usable: Set[str],
        fields: Mapping[str, Any],
    ) -> Iterator[tuple[str, Conversion]]:
        for column in table.columns:
            if column.name in usable:
                name = field_name(self._site.source_column(table.name, column.name))
                found = conversion(column.name, column.kind, fields[name])
                if found is not None:
                    yield column.name, found
