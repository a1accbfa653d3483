"""The `sync` schema as first released: mirrors of five tables, marks, progress, incarnations,
owned rows, epochs.
"""

from typing import Any

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import mssql, postgresql
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger
FLAG = sa.Boolean
TEXT = sa.UnicodeText

MIRRORS: dict[str, dict[str, tuple[str, ...]]] = {
    "AxVec": {
        "integer": ("vecKey",),
        "text": (
            *(
                "vecDescription",
                "vecFirstName",
                "vecMiddleName",
                "vecLastName",
                "vecTitle",
                "vecEmail",
            ),
            *("vecPhone1", "vecPhone2", "vecFax", "vecWebsite"),
            *(
                "vecAddress1",
                "vecAddress2",
                "vecAddress3",
                "vecCity",
                "vecState",
                "vecZip",
            ),
        ),
        "flag": (
            *("vecIsClient", "vecIsVendor", "vecIsEmployee"),
            *("ever_vecIsClient", "ever_vecIsVendor", "ever_vecIsEmployee"),
        ),
        "indexed": (),
    },
    "AxContact": {
        "integer": ("cntKey", "cntClient", "cntVendor"),
        "text": (
            *(
                "cntFirstName",
                "cntMiddleName",
                "cntLastName",
                "cntTitle",
                "cntEmail",
            ),
            *("cntPhone1", "cntPhone2"),
        ),
        "short_text": ("organization",),
        "indexed": ("organization",),
    },
    "AxProject": {
        "integer": (
            *("prjKey", "prjStatus", "prjProject"),
            *(
                "prjProjectManager",
                "prjPrincipalInCharge",
                "prjMarketingContact",
            ),
        ),
        "text": ("prjID", "prjDescription", "prjNotes"),
        "flag": ("ever_project",),
        "short_text": ("project_id", "code_group"),
        "indexed": (
            "prjProjectManager",
            "prjPrincipalInCharge",
            "prjMarketingContact",
            "code_group",
        ),
    },
    "AxInvoiceGroup": {
        "integer": ("igKey", "igProject", "igClient", "left_igProject"),
        "indexed": ("igProject", "igClient", "left_igProject"),
    },
    "AxResource": {
        "integer": (
            "resKey",
            "resProject",
            "resEmployee",
            "left_resProject",
        ),
        "text": ("resRole",),
        "indexed": ("resProject", "resEmployee", "left_resProject"),
    },
}


def ascii_text(length: int) -> TypeEngine[str]:
    return postgresql.VARCHAR(length, collation="C").with_variant(
        mssql.VARCHAR(length, collation="Latin1_General_BIN2"), "mssql"
    )


def code_text(length: int) -> TypeEngine[str]:
    return postgresql.VARCHAR(length, collation="C").with_variant(
        mssql.NVARCHAR(length, collation="Latin1_General_BIN2"), "mssql"
    )


def instant() -> TypeEngine[Any]:
    return sa.DateTime(timezone=True)


def upgrade() -> None:
    schema = context.config.attributes["run"].schema
    for table, columns in MIRRORS.items():
        create_mirror(schema, table, columns)
    create_due(schema)
    create_progress(schema)
    create_small_tables(schema)


def create_mirror(schema: str, table: str, columns: dict[str, tuple[str, ...]]) -> None:
    name = f"mirror_{table}"
    op.create_table(
        name,
        sa.Column("key", ascii_text(64), primary_key=True),
        sa.Column("position", ascii_text(64), nullable=False),
        sa.Column("incarnation", sa.Integer, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("unknown", sa.UnicodeText, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("committed_at", instant()),
        sa.Column("retired_at", ascii_text(64), nullable=False),
        sa.Column("changed_at", ascii_text(64), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        *(sa.Column(column, INTEGER) for column in columns.get("integer", ())),
        *(sa.Column(column, TEXT) for column in columns.get("text", ())),
        *(sa.Column(column, FLAG) for column in columns.get("flag", ())),
        *(sa.Column(column, code_text(450)) for column in columns.get("short_text", ())),
        schema=schema,
    )
    for column in columns["indexed"]:
        op.create_index(f"ix_{name}_{column}", name, [column], schema=schema)


def create_due(schema: str) -> None:
    op.create_table(
        "due",
        sa.Column("kind", ascii_text(100), nullable=False),
        sa.Column("key", code_text(450), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("set_at", instant(), nullable=False),
        sa.Column("reason", sa.Unicode(400)),
        sa.Column("code", ascii_text(100)),
        sa.Column("tried_at", instant()),
        sa.PrimaryKeyConstraint("kind", "key", mssql_clustered=False),
        schema=schema,
    )
    op.create_index("ix_due_set_at", "due", ["set_at"], schema=schema)


def create_progress(schema: str) -> None:
    op.create_table(
        "progress",
        sa.Column("topic", ascii_text(249), primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("incarnation", sa.Integer, nullable=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        sa.Column("events_read", sa.BigInteger, nullable=False),
        sa.Column("written", sa.BigInteger, nullable=False),
        sa.Column("skipped", sa.BigInteger, nullable=False),
        sa.Column("parked", sa.BigInteger, nullable=False),
        sa.Column("dead_lettered", sa.BigInteger, nullable=False),
        sa.Column("dead_in_a_row", sa.Integer, nullable=False),
        sa.Column("updated_at", instant(), nullable=False),
        sa.Column("load_until", sa.BigInteger),
        schema=schema,
    )
    op.create_table(
        "incarnation",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("topic", ascii_text(249), nullable=False),
        sa.Column("topic_id", ascii_text(64), nullable=False),
        sa.Column("partitions", sa.Integer, nullable=False),
        sa.Column("first_seen", instant(), nullable=False),
        sa.UniqueConstraint("topic", "topic_id", "partitions", name="uq_incarnation_topic"),
        schema=schema,
    )


def create_small_tables(schema: str) -> None:
    op.create_table(
        "source_table",
        sa.Column("name", ascii_text(100), primary_key=True),
        sa.Column("topic", ascii_text(249), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("reading_epoch", sa.Integer, nullable=False),
        sa.Column("reading_incarnation", sa.Integer, nullable=False),
        sa.Column("loaded_at", instant()),
        schema=schema,
    )
    op.create_table(
        "epoch",
        sa.Column("connector", ascii_text(249), primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        schema=schema,
    )
    op.create_table(
        "setting",
        sa.Column("name", ascii_text(100), primary_key=True),
        sa.Column("value", sa.UnicodeText, nullable=False),
        schema=schema,
    )
    op.create_table(
        "owned_row",
        sa.Column("target_table", ascii_text(100), nullable=False),
        sa.Column("parent_key", code_text(450), nullable=False),
        sa.Column("row_hash", ascii_text(64), nullable=False),
        sa.Column("row_key", sa.UnicodeText, nullable=False),
        sa.PrimaryKeyConstraint("target_table", "parent_key", "row_hash", mssql_clustered=False),
        schema=schema,
    )
