"""Messages to events. Total: any bytes give an event, or an error that says what to do; no
exception escapes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from pipeline.decoding.avro import Schemas
from pipeline.decoding.contract import Contract
from pipeline.decoding.metadata import (
    committed_at_of,
    epoch_of,
    kind_of,
)
from pipeline.decoding.naming import HEARTBEAT_PREFIX, field_name, topic_name
from pipeline.decoding.plan import Envelope, Plan, Plans
from pipeline.decoding.runs import UNAVAILABLE
from pipeline.decoding.wire import HEADER, split
from pipeline.errors import (
    MetadataMissing,
    PipelineError,
    SourceTruncated,
)
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType, SourceTable
from pipeline.model.event import (
    Decoded,
    Event,
    Heartbeat,
    Message,
    Operation,
    Row,
    Tombstone,
    Undecodable,
    Value,
)
from pipeline.model.position import TopicOffset

_UNAVAILABLE_BYTES: Final = UNAVAILABLE.encode()
_LEAST_KEY: Final = -(1 << 63)
_GREATEST_KEY: Final = (1 << 63) - 1
_NOTHING: Final[Row] = {}
_DELETE, _READ = Operation.DELETE, Operation.READ


@dataclass(frozen=True, slots=True)
class _Topic:
    table: SourceTable
    key_fields: tuple[str, ...]
    plans: dict[bytes, Plan]  # by the header of a message's value


class Decoder:
    """Decodes the topics of one source system; `topic_prefix` is the connector's ("ajera").

    `needs`: by table and column, the mapping lines that need it in words (see needs.py).

    Raises ConfigurationInvalid when the contract and the tables do not name the same columns.
    """

    def __init__(
        self,
        *,
        sources: Sequence[SourceTable],
        needs: Mapping[str, Mapping[str, str]],
        site: Site,
        contract: Contract,
        schemas: Schemas,
        topic_prefix: str,
    ) -> None:
        contract.refuse_unlike(sources)
        self._schemas = schemas
        self._plans = Plans(schemas, contract, site, needs)
        self._topics = {
            topic_name(topic_prefix, site.source_table(table.name)): _Topic(
                table,
                tuple(
                    field_name(site.source_column(table.name, column.name))
                    for column in table.key_columns
                ),
                {},
            )
            for table in sources
        }
        self._heartbeat_topic = f"{HEARTBEAT_PREFIX}{topic_prefix}"

    @property
    def topics(self) -> dict[str, str]:
        """The topic of each source table: canonical table -> topic."""
        return {topic.table.name: name for name, topic in self._topics.items()}

    @property
    def heartbeat_topic(self) -> str:
        """Where the connector sends its signs of life."""
        return self._heartbeat_topic

    def decode(self, message: Message, incarnation: int) -> Decoded:
        """What the message is. An error names its offset, never its contents."""
        topic = self._topics.get(message.topic)
        if topic is None:
            return self._without_table(message)
        value = message.value
        if value is None:
            return Tombstone()
        epoch = 0
        try:
            known = topic.plans.get(value[: HEADER.size])
            if known is not None:
                return _event(topic, known, value[HEADER.size :], message, incarnation)
            schema_id, body = split(value)
            plan = self._plans.find(topic.table, schema_id)
            if isinstance(plan, Plan):
                topic.plans[value[: HEADER.size]] = plan
                return _event(topic, plan, body, message, incarnation)
            epoch = self._epoch(schema_id, body)
            if isinstance(plan, PipelineError):
                return Undecodable(plan, topic.table.name, epoch)
            fault: PipelineError = _unflattened(plan, body)
        except PipelineError as error:
            fault, epoch = error, self._shown_epoch(value)
        return Undecodable(_placed(message, fault), topic.table.name, epoch)

    def decode_many(
        self, messages: Sequence[Message], start: int, incarnation: int
    ) -> Sequence[Event]:
        """Events of messages of one partition, from `start` on, up to the first that `decode` must
        be asked about.
        """
        found: list[Event] = []
        topic = self._topics.get(messages[start].topic)
        while topic is not None and start + len(found) < len(messages):
            before = len(found)
            plan = topic.plans.get((messages[start + before].value or b"")[: HEADER.size])
            if plan is not None and plan.run is not None:
                plan.run(messages, start + before, incarnation, found)
            if len(found) == before:
                break
        return found

    def _shown_epoch(self, value: bytes) -> int:
        """The epoch of a message that gives no event, 0 where it shows none."""
        try:
            return self._epoch(*split(value))
        except PipelineError:
            return 0

    def _epoch(self, schema_id: int, body: bytes) -> int:
        """The epoch of a message that breaks the contract, 0 where it does not show one."""
        schema = self._schemas.known(schema_id)
        if schema is None:
            return 0
        flat = schema.read(body)
        return epoch_of(flat["__epoch"]) if "__epoch" in flat else 0

    def _without_table(self, message: Message) -> Decoded:
        if message.topic == self._heartbeat_topic:
            return self._heartbeat(message)
        return Undecodable(_placed(message, MetadataMissing("no source table has this topic")))

    def _heartbeat(self, message: Message) -> Decoded:
        """Its epoch, if it has one: a connector that we did not apply sends none."""
        try:
            schema_id, body = split(message.value or b"")
            schema = self._schemas.find(schema_id)
            if isinstance(schema, PipelineError):
                return Undecodable(schema)
            flat = schema.read(body)
            return Heartbeat(epoch_of(flat["__epoch"]) if "__epoch" in flat else 0)
        except PipelineError as error:
            return Undecodable(_placed(message, error))


def _event(
    topic: _Topic,
    plan: Plan,
    body: bytes,
    message: Message,
    incarnation: int,
) -> Event:
    row, letter, deleted, marker, epoch_text, committed_ms, captured_ms, *places = plan.read(body)
    operation, ended = kind_of(letter, deleted, marker)
    epoch = epoch_of(epoch_text)
    table = topic.table
    key = _key(topic, message.key)
    return Event(
        table.name,
        table.key_text(key),
        operation,
        _NOTHING if operation is _DELETE else _row(plan, row, body, key),
        "" if operation is _READ else plan.position(epoch, *places),
        TopicOffset(incarnation, message.partition, message.offset),
        committed_at_of(committed_ms),
        epoch,
        ended,
        captured_ms if type(captured_ms) is int else 0,
    )


def _key(topic: _Topic, key: bytes | None) -> tuple[Value, ...]:
    if key is None:
        raise MetadataMissing("the message has no key")
    try:
        found = orjson.loads(key)
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.keys() != {*topic.key_fields}:
        raise MetadataMissing(
            f"the key is not a JSON object of {', '.join(topic.key_fields)} alone"
        )
    for column, name in zip(topic.table.key_columns, topic.key_fields, strict=True):
        _refuse_unlike(column.kind, name, found[name])
    return tuple(found[name] for name in topic.key_fields)


def _refuse_unlike(kind: ColumnType, name: str, value: Any) -> None:
    match kind:
        case ColumnType.INTEGER:
            if type(value) is not int or not _LEAST_KEY <= value <= _GREATEST_KEY:
                raise MetadataMissing(f"the key's {name} is not a 64-bit integer")
        case ColumnType.FLAG:
            if type(value) is not bool:
                raise MetadataMissing(f"the key's {name} is not a boolean")
        case _:
            if type(value) is not str:
                raise MetadataMissing(f"the key's {name} is not a string")


def _row(
    plan: Plan, row: dict[str, Value], body: bytes, key: tuple[Value, ...]
) -> dict[str, Value]:
    """The row in canonical form; `key` is the message's."""
    if _UNAVAILABLE_BYTES in body:
        row = {column: value for column, value in row.items() if value != UNAVAILABLE}
    for column, convert in plan.conversions.items():
        row[column] = convert(row[column])
    if any(
        name is not None and row[name] != value
        for name, value in zip(plan.key_columns, key, strict=True)
    ):
        raise MetadataMissing("the key names another row than the message holds")
    return row


def _unflattened(plan: Envelope, body: bytes) -> PipelineError:
    if plan.schema.read(body).get("op") == "t":
        return SourceTruncated("the table was truncated")
    return MetadataMissing("the event was not flattened")


def _placed(message: Message, fault: PipelineError) -> PipelineError:
    """The same error with the message's place in front,
    and without the frames that held its values.
    """
    return type(fault)(
        f"{message.topic} partition {message.partition} offset {message.offset}: {fault}."
    )
