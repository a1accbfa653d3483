"""Positions in the source's log and offsets in Kafka, in forms that sort.

A position is text: fixed-width hexadecimal, so that comparing text (under a binary collation)
compares positions. It starts with the epoch that `connectors apply` stamps into every message, so a
new capture of a source sorts above everything captured before.
"""

from __future__ import annotations

import re
import struct
from typing import Final, NamedTuple

EPOCH_WIDTH = 8
LSN_WIDTH = 16
_LSN: Final = re.compile(r"[0-9a-fA-F]{1,8}:[0-9a-fA-F]{1,8}:[0-9a-fA-F]{1,4}", re.ASCII)
_POSTGRES: Final = struct.Struct(">IQQ")  # 32 bits of the epoch, 64 of each lsn


class TopicOffset(NamedTuple):
    """Where a message is: incarnation of the topic (numbered by us as first seen), partition,
    offset.
    """

    incarnation: int
    partition: int
    offset: int

    def is_later_than(self, other: TopicOffset) -> bool:
        """Later incarnation, or a greater offset in the same one;
        partitions of one incarnation never share a row.
        """
        return (self.incarnation, self.offset) > (
            other.incarnation,
            other.offset,
        )

    def is_comparable_with(self, other: TopicOffset) -> bool:
        """Different incarnations, or the same partition:
        rows of one incarnation do not change partitions, unless it grew.
        """
        return self.incarnation != other.incarnation or self.partition == other.partition

    def shares_partition_with(self, other: TopicOffset) -> bool:
        return (self.incarnation, self.partition) == (
            other.incarnation,
            other.partition,
        )


NOWHERE = TopicOffset(0, -1, -1)


def postgres_position(epoch: int, sequence: str) -> str:
    """Position of a streamed PostgreSQL change from Debezium's `source.sequence`:
    `["<last commit>","<lsn>"]`.

    The last commit before the transaction comes first (null until the connector has seen one: sorts
    first), then the change's own lsn. Raises ValueError when the text has another form.
    """
    match sequence.split('"'):
        case ["[", commit, ",", lsn, "]"]:
            pass
        case ["[null,", lsn, "]"]:
            commit = "0"
        case _:
            commit = lsn = ""
    if not (commit.isdigit() and lsn.isdigit() and sequence.isascii()):
        raise ValueError("source.sequence is not [last commit, lsn]")
    try:
        return _POSTGRES.pack(epoch, int(commit), int(lsn)).hex()
    except struct.error:
        fault = "source.sequence holds a number of more than 64 bits"
    raise ValueError(fault)


def sqlserver_position(
    epoch: int,
    commit_lsn: str,
    change_lsn: str | None,
    event_serial_no: int | None,
) -> str:
    """Position of a streamed SQL Server change from `commit_lsn`, `change_lsn`
    (`xxxxxxxx:xxxxxxxx:xxxx`) and `event_serial_no`.

    Raises ValueError when an lsn has another form.
    """
    serial = 0 if event_serial_no is None else event_serial_no
    committed, changed = _lsn(commit_lsn), _lsn(change_lsn or "0:0:0")
    return f"{epoch:0{EPOCH_WIDTH}x}{committed}{changed}{serial:0{LSN_WIDTH}x}"


def start_of(epoch: int) -> str:
    """A position below everything that is captured in this epoch, and above everything before."""
    return f"{epoch:0{EPOCH_WIDTH}x}"


def change_part(position: str, width: int) -> str:
    """Epoch and change lsn of a position of either kind, without the commit before them;
    `width` of both together.

    One row's changes sort by it as they were made, since each waits for the row's lock.
    """
    commit = width - EPOCH_WIDTH
    return position[:EPOCH_WIDTH] + position[EPOCH_WIDTH + commit : EPOCH_WIDTH + 2 * commit]


def is_lsn(text: str) -> bool:
    """Is it an lsn of SQL Server, `xxxxxxxx:xxxxxxxx:xxxx`."""
    return _LSN.fullmatch(text) is not None


def _lsn(text: str) -> str:
    if not is_lsn(text):
        raise ValueError("an lsn is not xxxxxxxx:xxxxxxxx:xxxx")
    file, block, slot = text.split(":")
    return (file.zfill(8) + block.zfill(8) + slot.zfill(4)).lower()


class TopicPartition(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int
