"""The tables of every route that say what is halted, and who reads its topics."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Unicode, UnicodeText

from pipeline.database.state.schema_types import ascii_text, code_text, instant


def halt_tables(metadata: MetaData) -> None:
    """Halts, skips and consumers."""
    _halted(metadata)
    _skip(metadata)
    _skipped_message(metadata)
    _consumer(metadata)


def _halted(metadata: MetaData) -> None:
    """Partitions, and tables of the target, that are halted."""
    Table(
        "halted",
        metadata,
        Column("place", code_text(400), primary_key=True),
        Column("topic", ascii_text(249)),
        Column("partition", Integer),
        Column("incarnation", Integer),
        Column("offset", BigInteger),
        Column("code", ascii_text(100), nullable=False),
        Column("sentence", Unicode(1000), nullable=False),
        Column("since", instant(), nullable=False),
        Column("consumer", code_text(300), nullable=False),
    )


def _skip(metadata: MetaData) -> None:
    """What a person said may be skipped; deleted once the partition is beyond it."""
    Table(
        "skip",
        metadata,
        Column("topic", ascii_text(249), primary_key=True),
        Column("partition", Integer, primary_key=True, autoincrement=False),
        Column("first_offset", BigInteger, primary_key=True, autoincrement=False),
        Column("incarnation", Integer, nullable=False),
        Column("last_offset", BigInteger, nullable=False),
        Column("said_by", Unicode(300), nullable=False),
        Column("at", instant(), nullable=False),
    )


def _skipped_message(metadata: MetaData) -> None:
    """Messages that were skipped, with the keys of their rows: what a backfill has to bring."""
    Table(
        "skipped_message",
        metadata,
        Column("topic", ascii_text(249), primary_key=True),
        Column("incarnation", Integer, primary_key=True, autoincrement=False),
        Column("partition", Integer, primary_key=True, autoincrement=False),
        Column("offset", BigInteger, primary_key=True, autoincrement=False),
        Column("key", UnicodeText, nullable=False),
        Column("code", ascii_text(100), nullable=False),
        Column("reason", ascii_text(40), nullable=False),
        Column("at", instant(), nullable=False),
    )


def _consumer(metadata: MetaData) -> None:
    """Who reads the route's topics, and how each is."""
    Table(
        "consumer",
        metadata,
        Column("id", code_text(300), primary_key=True),
        Column("host", Unicode(300), nullable=False),
        Column("pid", Integer, nullable=False),
        Column("version", ascii_text(40), nullable=False),
        Column("started_at", instant(), nullable=False),
        Column("seen_at", instant(), nullable=False),
        Column("state", ascii_text(20), nullable=False),
        Column("reasons", UnicodeText, nullable=False),
        Column("address", Unicode(300), nullable=False),
    )
