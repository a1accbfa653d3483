"""Expressions of T-SQL: how texts are folded, ordered and compared."""

from __future__ import annotations

from pipeline.database.sql.dialect import TEXTS, Field, Fields, json_names
from pipeline.mapping.source import ColumnType
from pipeline.model.text import BLANKS

TYPES = {
    ColumnType.INTEGER: "bigint",
    ColumnType.FLAG: "bit",
    ColumnType.TEXT: "nvarchar(max)",
    ColumnType.SHORT_TEXT: "nvarchar(max)",
    ColumnType.INSTANT: "datetimeoffset",
    ColumnType.DATE: "date",
    ColumnType.DECIMAL: "decimal(38, 10)",
}
# A looked-up value is staged as wide as its type can be:
# one that is longer than the column is in no row, not refused.
WIDE = {
    ColumnType.TEXT: " + CAST('' AS varchar(8000))",
    ColumnType.SHORT_TEXT: " + CAST('' AS varchar(8000))",
    ColumnType.INTEGER: " + CAST(0 AS bigint)",
}
BINARY = "COLLATE Latin1_General_BIN2"
LOG_POSITION = (
    "IF HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') = 1"
    " SELECT MAX(database_transaction_last_lsn) AS lsn FROM sys.dm_tran_database_transactions"
    " WHERE transaction_id = CURRENT_TRANSACTION_ID() AND database_id = DB_ID()"
    " ELSE SELECT CAST(NULL AS numeric(25, 0)) AS lsn"
)


def folded(text: str, length: int | None) -> str:
    """Text as `named` compares it: `folded` without any blank.
    TRIM of characters and TRANSLATE came after 2016.

    The collation of version 100 knows the case of more letters than older ones;
    of the capital sharp s, none does.
    """
    spaced = f"CAST({text} AS nvarchar(4000)) COLLATE Latin1_General_100_BIN2"
    for blank in BLANKS.replace(" ", ""):
        spaced = f"REPLACE({spaced}, NCHAR({ord(blank)}), N' ')"
    trimmed = f"LTRIM(RTRIM({spaced}))"
    short = trimmed if length is None else f"LEFT({trimmed}, {length})"
    lower = f"LOWER(REPLACE({short}, N' ', N''))"
    for letter, folded in (("ß", "ss"), ("ẞ", "ss"), ("ς", "σ")):
        lower = f"REPLACE({lower}, N'{letter}', N'{folded}')"
    return lower


def values(alias: str, columns: Fields) -> str:
    """The columns that OPENJSON makes of the given rows."""
    return ", ".join(f"{alias}.{name}" for name in json_names(columns))


def binary(column: str, field: Field) -> str:
    """A column in the order of its code points."""
    return f"{column} {BINARY}" if field.kind in TEXTS else column


def exact(column: str, kind: ColumnType) -> str:
    """The bar comes after trailing blanks: at the end of a text they count in no comparison,
    whatever the collation.
    """
    return f"(CAST({column} AS nvarchar(max)) + N'|') {BINARY}" if kind in TEXTS else column
