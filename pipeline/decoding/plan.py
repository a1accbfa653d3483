"""How rows of one table are taken from bodies of one writer schema: worked out once,
used for every message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

from pipeline.decoding.avro import Schemas, WriterSchema
from pipeline.decoding.compiled import ODD, UnknownType, compiled, dictionary
from pipeline.decoding.contract import Contract, types
from pipeline.decoding.metadata import (
    PositionOf,
    position_of_postgres,
    position_of_sqlserver,
)
from pipeline.decoding.naming import field_name
from pipeline.decoding.values import Conversion, conversion
from pipeline.errors import ContractBroken, MetadataMissing, PipelineError
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType, SourceTable

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

    read: Callable[[bytes], Taken]
    key_start: bytes | None  # of a key that is one number, what the message's key has before it
    integer_flags: tuple[str, ...]  # canonical flags that arrive as integers
    key_columns: tuple[
        str | None, ...
    ]  # the canonical key columns, None for one that the row does not carry
    position: PositionOf
    conversions: tuple[tuple[str, Conversion], ...] = ()  # of canonical decimals and dates


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
        return Plan(
            read=_reader(schema, columns, places),
            key_start=self._key_start(table, canonical),
            integer_flags=tuple(
                column.name
                for column in table.columns
                if column.kind is ColumnType.FLAG
                and column.name in canonical
                and self._is_integer(table, column.name, fields)
            ),
            key_columns=tuple(c.name if c.name in canonical else None for c in table.key_columns),
            position=position_of_postgres if places is POSTGRES else position_of_sqlserver,
            conversions=tuple(self._conversions(table, canonical, fields)),
        )

    def _key_start(self, table: SourceTable, usable: Set[str]) -> bytes | None:
        if table.key_columns[0].kind is not ColumnType.INTEGER or not usable >= {*table.key}:
            return None
        names = [field_name(self._site.source_column(table.name, one)) for one in table.key]
        return b'{"%s":' % names[0].encode() if len(names) == 1 else None

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

    def _is_integer(self, table: SourceTable, column: str, fields: Mapping[str, Any]) -> bool:
        declared = fields[field_name(self._site.source_column(table.name, column))]
        return not types(declared) <= {"null", "boolean"}


def _reader(
    schema: WriterSchema, columns: Sequence[tuple[str, str]], places: Sequence[str]
) -> Callable[[bytes], Taken]:
    """Reads a body in one go where the schema's types are known; else, and what is odd,
    by fastavro. Raises MessageMalformed.
    """
    of_connector = (*REQUIRED, CAPTURED, *places)

    def slowly(body: bytes) -> Taken:
        flat = schema.read_slowly(body)
        row = {canonical: flat[name] for name, canonical in columns}
        return row, *(flat.get(name) for name in of_connector)

    def answer(variables: Mapping[str, str]) -> str:
        row = dictionary({canonical: variables[name] for name, canonical in columns})
        return ", ".join([row, *(variables.get(name, "None") for name in of_connector)])

    try:
        quick = compiled(schema.declared, answer)
    except UnknownType:
        return slowly

    def read(body: bytes) -> Taken:
        try:
            found: Taken = quick(body)
        except ODD:
            return slowly(body)
        return found

    return read
