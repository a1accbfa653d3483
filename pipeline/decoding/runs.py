"""Events of many messages of one partition by one function, made for a table and a writer schema.

It takes what is plain: one event a message, whose key is the row's own as the connector writes it,
and nothing odd anywhere. It stops before the first message that is not, which `Decoder.decode` is
asked about: there is one meaning of a message, and one text of each error. A property test compares
the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import islice
from typing import Final

from pipeline.decoding.avro import WriterSchema
from pipeline.decoding.compiled import ODD, UnknownType, body_of, dictionary, made
from pipeline.decoding.metadata import (
    EPOCHS,
    INSTANTS,
    KINDS,
    PositionOf,
    committed_at_of,
    epoch_of,
    kind_of,
)
from pipeline.decoding.naming import field_name
from pipeline.decoding.values import Conversion
from pipeline.decoding.wire import HEADER
from pipeline.errors import PipelineError
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType, SourceTable, key_text
from pipeline.model.event import Event, Message, Operation
from pipeline.model.position import TopicOffset

# Adds events of the messages from a place on, in an incarnation, to a list, up to the first message
# that has another header or is not plain.
Run = Callable[[Sequence[Message], int, int, list[Event]], None]

UNAVAILABLE: Final = "__debezium_unavailable_value"  # a long text that an update left unchanged
_BEFORE: Final = (
    "def made(messages, start, incarnation, add):",
    f" head = messages[start].value[:{HEADER.size}]",
    " for m in islice(messages, start, None):",
    "  b = m.value",
    f"  if b is None or b[:{HEADER.size}] != head: return",
    "  if UNDERSCORE in b and UNAVAILABLE in b: return",
    f"  p = {HEADER.size}",
)
_SCOPE: Final = {
    "islice": islice,
    "Event": Event,
    "TopicOffset": TopicOffset,
    "READ": Operation.READ,
    "DELETE": Operation.DELETE,
    "NOTHING": {},
    "UNAVAILABLE": UNAVAILABLE.encode(),
    "UNDERSCORE": ord("_"),  # is looked for in a fifth of the time
    "kind_of": kind_of,
    "epoch_of": epoch_of,
    "committed_at_of": committed_at_of,
    "KINDS": KINDS,
    "EPOCHS": EPOCHS,
    "INSTANTS": INSTANTS,
    "empty": object.__new__,  # without the call of __init__
    "made_of": tuple.__new__,
    "key_text": key_text,
}
_KEYS: Final = (ColumnType.INTEGER, ColumnType.TEXT, ColumnType.SHORT_TEXT)


def run_of(
    table: SourceTable,
    schema: WriterSchema,
    site: Site,
    columns: Sequence[tuple[str, str]],
    conversions: Mapping[str, Conversion],
    position: tuple[PositionOf, Sequence[str]],
) -> Run | None:
    """None where a type of the schema or the key is of no kind that code is written for.

    `columns`: fields and the canonical columns that they give; `position`: what makes it, and the
    fields that it is made of.
    """
    usable = {canonical for _, canonical in columns}
    if not usable >= {*table.key} or any(c.kind not in _KEYS for c in table.key_columns):
        return None
    try:
        body, names = body_of(schema.declared)
    except UnknownType:
        return None
    place_of, places = position
    values = {canonical: names[name] for name, canonical in columns}
    lines = [
        *_BEFORE,
        *(f"  {line}" for line in body),
        *(f"  {line}" for line in _key(table, site, values)),
        *_event(names, _converted(values, conversions), places),
    ]
    converting = {f"convert{n}": convert for n, convert in enumerate(conversions.values())}
    quick = made(lines, {**_SCOPE, **converting, "place_of": place_of, "table": table.name})

    def run(messages: Sequence[Message], start: int, incarnation: int, found: list[Event]) -> None:
        try:
            quick(messages, start, incarnation, found.append)
        except (*ODD, PipelineError):
            return

    return run


def _converted(
    values: Mapping[str, str], conversions: Mapping[str, Conversion]
) -> Mapping[str, str]:
    """By canonical column the expression of what a row holds."""
    called = {column: f"convert{n}({values[column]})" for n, column in enumerate(conversions)}
    return {**values, **called}


def _event(
    names: Mapping[str, str], row: Mapping[str, str], places: Sequence[str]
) -> Iterator[str]:
    """Code that adds the event; `key` is its row's. Raises PipelineError."""
    kind = ", ".join(names[one] for one in ("__op", "__deleted", "__source_snapshot"))
    place = ", ".join(names[one] for one in places)
    epoch, committed = names["__epoch"], names["__source_ts_ms"]
    values = (
        *("table", "key", "operation"),
        f"NOTHING if operation is DELETE else {dictionary(row)}",
        f"'' if operation is READ else place_of(epoch, {place})",
        "made_of(TopicOffset, (incarnation, m.partition, m.offset))",
        *("committed_at", "epoch", "ended"),
        f"{names.get('__ts_ms', '0')} or 0",
    )
    yield from (
        f"  operation, ended = KINDS.get(({kind})) or kind_of({kind})",
        f"  epoch = EPOCHS.get({epoch})",
        f"  if epoch is None: epoch = epoch_of({epoch})",
        f"  committed_at = INSTANTS.get({committed}) if type({committed}) is int else None",
        f"  if committed_at is None: committed_at = committed_at_of({committed})",
        "  event = empty(Event)",
    )
    for one, value in zip(fields(Event), values, strict=True):
        yield f"  event.{one.name} = {value}"
    yield "  add(event)"


def _key(table: SourceTable, site: Site, values: Mapping[str, str]) -> Iterator[str]:
    """Code that leaves the loop unless the message's key is the row's, byte for byte; then `key` is
    the row's.
    """
    parts, given = [], []
    for column in table.key_columns:
        field, name = field_name(site.source_column(table.name, column.name)), values[column.name]
        if column.kind is ColumnType.INTEGER:
            yield f"if type({name}) is not int: return"
            parts.append(f'"{field}":%d')
            given.append(name)
        else:
            yield f"if type({name}) is not str or '\\\\' in {name} or '\"' in {name}: return"
            parts.append(f'"{field}":"%b"')
            given.append(f"{name}.encode()")
    whole = ("{" + ",".join(parts) + "}").encode()
    yield f"if m.key != {whole!r} % ({', '.join(given)},): return"
    own = [values[name] for name in table.key]
    yield f"key = str({own[0]})" if len(own) == 1 else f"key = key_text(({', '.join(own)}))"
