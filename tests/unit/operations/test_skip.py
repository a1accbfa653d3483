"""Which messages a skip names, and the rows whose keys they have."""

from __future__ import annotations

import pytest

from pipeline.cli.skip import offsets_of
from pipeline.domain.ajera import AX_VEC
from pipeline.errors import UsageError
from pipeline.mapping.source import ColumnType, SourceColumn, SourceTable
from pipeline.model.event import Message
from pipeline.operations.skip import Offsets, Skipping
from pipeline.operations.skipped_rows import key_of

TWO_KEYS = SourceTable(
    "Two",
    ("a", "b"),
    (SourceColumn("a", ColumnType.INTEGER), SourceColumn("b", ColumnType.SHORT_TEXT)),
)


def skipping() -> Skipping:
    return Skipping("ajera.AxVec", 0, 41, 60, 1, "ajera", "AxVec")


@pytest.mark.parametrize(
    ("typed", "offsets"),
    [("41", Offsets(41, 41)), ("41..60", Offsets(41, 60)), ("41..", Offsets(41, None))],
)
def test_an_offset_a_range_and_an_open_range_are_understood(typed: str, offsets: Offsets) -> None:
    """The open one ends with the last message that cannot be decoded."""
    assert offsets_of(typed) == offsets


@pytest.mark.parametrize("typed", ["", "-1", "x", "41.60", "60..41", "..60", "41..60..80"])
def test_what_is_no_offset_is_answered_in_the_words_of_what_was_asked(typed: str) -> None:
    """With how it is written."""
    with pytest.raises(UsageError):
        offsets_of(typed)


@pytest.mark.parametrize(
    ("key", "found"),
    [
        (b'{"a":7,"b":"x|y"}', "7|x%7Cy"),
        (b'{"a":7}', None),
        (b"spoiled", None),
        (b"[7]", None),
        (b"", None),
    ],
)
def test_a_rows_key_is_read_from_the_messages_key_or_is_unknown(
    key: bytes, found: str | None
) -> None:
    """Whatever its value is."""
    names = {"a": "a", "b": "b"}
    assert key_of(key, TWO_KEYS, names) == found


def test_the_backfill_names_the_rows_or_the_whole_table_where_one_is_not_known() -> None:
    """Of many rows, too: the table is read again as a whole."""
    few, many, unknown, gone = skipping(), skipping(), skipping(), skipping()
    few.keys = ["7", "8", "7"]
    many.keys = [str(number) for number in range(21)]
    unknown.keys, unknown.without_key = ["7"], 1
    gone.keys, gone.gone = ["7"], 3
    assert few.backfill == "ajera-cdc backfill ajera AxVec --key '7' --key '8'"
    for one in (many, unknown, gone):
        assert one.backfill == "ajera-cdc backfill ajera AxVec"


def test_a_message_without_a_key_of_its_table_is_counted() -> None:
    """Its row cannot be named."""
    one = skipping()
    names = {"vecKey": "vecKey"}
    one.take(Message("t", 0, 61, b'{"vecKey":7}', b""), AX_VEC, names)
    one.take(Message("t", 0, 62, None, b""), AX_VEC, names)
    assert (one.keys, one.without_key, one.last) == (["7"], 1, 62)
