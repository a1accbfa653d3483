"""What the connector adds to a row: operation, epoch, commit time,
and the position of the change in the source's log.

Each function raises MetadataMissing if the connector's field is missing or invalid: without it the
order of events would be lost. The messages name fields, never values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from pipeline.errors import (
    MessageMalformed,
    MetadataMissing,
    PipelineError,
    SourceTruncated,
)
from pipeline.model.event import Operation
from pipeline.model.position import (
    EPOCH_WIDTH,
    LSN_WIDTH,
    is_lsn,
    postgres_position,
    sqlserver_position,
)

T = TypeVar("T")
U = TypeVar("U")
PositionOf = Callable[..., str]  # of the epoch and the connector's fields for it

_OPERATIONS: Final = {operation.value: operation for operation in Operation}
_BEFORE_THE_END: Final = (
    "true",
    "first",
    "first_in_data_collection",
    "last_in_data_collection",
)
_MARKERS: Final = (*_BEFORE_THE_END, "last", "incremental", "false", None)
_NUMBER: Final = re.compile(r"[0-9]{1,10}", re.ASCII)
# What was found lately, of texts and of whole numbers alone: many events share it.
EPOCHS: Final[dict[str, int]] = {}
INSTANTS: Final[dict[int, datetime]] = {}
_MOST_KNOWN: Final = 1024
_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCHS: Final = 1 << (4 * EPOCH_WIDTH)
_SERIALS: Final = 1 << (4 * LSN_WIDTH)


def _deleted(operation: Operation) -> str:
    return "true" if operation is Operation.DELETE else "false"


def _shows_end(operation: Operation, marker: str | None) -> bool:
    """Is this evidence that the initial snapshot of the whole source is over: its last row,
    or a streamed event.
    """
    return marker == "last" if operation is Operation.READ else marker not in _BEFORE_THE_END


KINDS: Final = {
    (operation.value, _deleted(operation), marker): (operation, _shows_end(operation, marker))
    for operation in Operation
    for marker in _MARKERS
}


def kind_of(letter: Any, deleted: Any, marker: Any) -> tuple[Operation, bool]:
    """What happened, from __op, __deleted and __source_snapshot; and whether it shows that the
    initial snapshot is over. Raises SourceTruncated for a truncate.
    """
    try:
        return KINDS[letter, deleted, marker]
    except (KeyError, TypeError):  # a schema can make anything of them
        fault = _fault(letter, deleted)
    raise fault


def _fault(letter: Any, deleted: Any) -> PipelineError:
    if letter == "t":
        return SourceTruncated("the table was truncated")
    found = _OPERATIONS.get(letter) if isinstance(letter, str) else None
    if found is None:
        return MetadataMissing("__op is none of c, u, d, r, t")
    if deleted != _deleted(found):
        return MetadataMissing("__deleted does not agree with __op")
    return MetadataMissing("__source_snapshot is none of the connector's words")


def epoch_of(value: Any) -> int:
    """The epoch, from __epoch: how often capture of the source was started again."""
    is_text = type(value) is str
    epoch = int(value) if is_text and _NUMBER.fullmatch(value) else value
    if type(epoch) is not int or not 0 <= epoch < _EPOCHS:
        raise MetadataMissing("__epoch is no whole number that has room in a position")
    if is_text:
        _keep(EPOCHS, value, epoch)
    return epoch


def committed_at_of(milliseconds: Any) -> datetime:
    """When the transaction committed, from __source_ts_ms.
    Raises MessageMalformed for a time that no calendar has.
    """
    if type(milliseconds) is not int:
        raise MetadataMissing("__source_ts_ms is no whole number")
    try:
        instant = _1970 + timedelta(milliseconds=milliseconds)
    except OverflowError:
        fault = MessageMalformed("__source_ts_ms is out of the calendar's range")
    else:
        _keep(INSTANTS, milliseconds, instant)
        return instant
    raise fault


def _keep(known: dict[T, U], given: T, found: U) -> None:
    if len(known) >= _MOST_KNOWN:
        known.clear()
    known[given] = found


def position_of_postgres(epoch: int, sequence: Any) -> str:
    """Position of a streamed PostgreSQL change, from __source_sequence."""
    try:
        if isinstance(sequence, str):
            return postgres_position(epoch, sequence)
    except ValueError:
        pass
    raise MetadataMissing("__source_sequence is not [last commit, lsn]")


def position_of_sqlserver(epoch: int, commit_lsn: Any, change_lsn: Any, serial: Any) -> str:
    """Position of a streamed SQL Server change. Two changes of one transaction must differ,
    so all three parts must be there.
    """
    try:
        if change_lsn and type(serial) is int and 0 <= serial < _SERIALS:
            return sqlserver_position(epoch, commit_lsn, change_lsn, serial)
    except (TypeError, ValueError):
        pass
    for name, lsn in (
        ("__source_commit_lsn", commit_lsn),
        ("__source_change_lsn", change_lsn),
    ):
        if not isinstance(lsn, str) or not is_lsn(lsn):
            raise MetadataMissing(f"{name} is not xxxxxxxx:xxxxxxxx:xxxx")
    raise MetadataMissing("__source_event_serial_no is no whole number")
