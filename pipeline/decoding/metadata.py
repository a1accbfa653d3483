"""What the connector adds to a row: operation, epoch, commit time,
and the position of the change in the source's log.

Each function raises MetadataMissing if the connector's field is missing or invalid: without it the
order of events would be lost. The messages name fields, never values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pipeline.errors import (
    MessageMalformed,
    MetadataMissing,
    SourceTruncated,
)
from pipeline.model.event import Operation
from pipeline.model.position import (
    EPOCH_WIDTH,
    LSN_WIDTH,
    postgres_position,
    sqlserver_position,
)

Flat = Mapping[str, Any]
PositionOf = Callable[[Flat, int], str]

_OPERATIONS: Final = {operation.value: operation for operation in Operation}
_BEFORE_THE_END: Final = (
    "true",
    "first",
    "first_in_data_collection",
    "last_in_data_collection",
)
_MARKERS: Final = (
    *_BEFORE_THE_END,
    "last",
    "incremental",
    "false",
    None,
)  # compared, not hashed: it may be anything
_SEQUENCE: Final = re.compile(r'\[(?:null|"[0-9]{1,20}"),"[0-9]{1,20}"\]', re.ASCII)
_LSN: Final = re.compile(r"[0-9a-fA-F]{1,8}:[0-9a-fA-F]{1,8}:[0-9a-fA-F]{1,4}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,10}", re.ASCII)
_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)
_POSTGRES_LENGTH: Final = EPOCH_WIDTH + 2 * LSN_WIDTH
_EPOCHS: Final = 1 << (4 * EPOCH_WIDTH)
_SERIALS: Final = 1 << (4 * LSN_WIDTH)


def operation_of(flat: Flat) -> Operation:
    """What happened. Raises SourceTruncated for a truncate."""
    letter = flat["__op"]
    if letter == "t":
        raise SourceTruncated("the table was truncated")
    found = _OPERATIONS.get(letter) if isinstance(letter, str) else None
    if found is None:
        raise MetadataMissing("__op is none of c, u, d, r, t")
    if flat["__deleted"] != ("true" if found is Operation.DELETE else "false"):
        raise MetadataMissing("__deleted does not agree with __op")
    return found


def epoch_of(flat: Flat) -> int:
    """The epoch: how often capture of the source was started again."""
    value = flat["__epoch"]
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = int(value)
    if type(value) is not int or not 0 <= value < _EPOCHS:
        raise MetadataMissing("__epoch is no whole number that has room in a position")
    return value


def committed_at_of(flat: Flat) -> datetime:
    """When the transaction committed. Raises MessageMalformed for a time that no calendar has."""
    milliseconds = flat["__source_ts_ms"]
    if type(milliseconds) is not int:
        raise MetadataMissing("__source_ts_ms is no whole number")
    try:
        return _1970 + timedelta(milliseconds=milliseconds)
    except OverflowError:
        pass
    raise MessageMalformed("__source_ts_ms is out of the calendar's range")


def shows_snapshot_ended(flat: Flat, operation: Operation) -> bool:
    """Is this evidence that the initial snapshot of the whole source is over: its last row,
    or a streamed event.
    """
    marker = flat["__source_snapshot"]
    if marker not in _MARKERS:
        raise MetadataMissing("__source_snapshot is none of the connector's words")
    return marker == "last" if operation is Operation.READ else marker not in _BEFORE_THE_END


def position_of_postgres(flat: Flat, epoch: int) -> str:
    """Position of a streamed PostgreSQL change."""
    sequence = flat["__source_sequence"]
    if isinstance(sequence, str) and _SEQUENCE.fullmatch(sequence):
        position = postgres_position(epoch, sequence)
        if len(position) == _POSTGRES_LENGTH:
            return position
    raise MetadataMissing("__source_sequence is not [last commit, lsn]")


def position_of_sqlserver(flat: Flat, epoch: int) -> str:
    """Position of a streamed SQL Server change. Two changes of one transaction must differ,
    so all three parts must be there.
    """
    commit_lsn, change_lsn = (
        flat["__source_commit_lsn"],
        flat["__source_change_lsn"],
    )
    for name, lsn in (
        ("__source_commit_lsn", commit_lsn),
        ("__source_change_lsn", change_lsn),
    ):
        if not isinstance(lsn, str) or not _LSN.fullmatch(lsn):
            raise MetadataMissing(f"{name} is not xxxxxxxx:xxxxxxxx:xxxx")
    serial = flat["__source_event_serial_no"]
    if type(serial) is not int or not 0 <= serial < _SERIALS:
        raise MetadataMissing("__source_event_serial_no is no whole number")
    return sqlserver_position(epoch, commit_lsn, change_lsn, serial)
