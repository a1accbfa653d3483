"""The table of audit lines, which every route keeps in its `sync` schema."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Identity, MetaData, Table, Unicode

# How long the texts of a line are at most.
LENGTHS = {"who": 400, "command": 100, "arguments": 4000, "outcome": 100}


def audit_table(metadata: MetaData) -> Table:
    """What commands changed: who typed what, when, and how it ended."""
    return Table(
        "audit",
        metadata,
        Column("number", BigInteger, Identity(), primary_key=True),
        Column("at", DateTime(timezone=True), nullable=False),
        *(Column(name, Unicode(length), nullable=False) for name, length in LENGTHS.items()),
        Column("database_user", Unicode(400), nullable=False),
    )
