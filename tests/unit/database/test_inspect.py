"""What a column of a live database may be, by what the contract wants of it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, postgresql

from pipeline.database.systems.inspect import is_fitting
from pipeline.mapping.source import ColumnType

MONEY, DAY = ColumnType.DECIMAL, ColumnType.DATE


@pytest.mark.parametrize(
    ("kind", "live", "is_fine"),
    [
        (MONEY, sa.NUMERIC(19, 4), True),
        (MONEY, mssql.MONEY(), True),
        (MONEY, postgresql.MONEY(), True),
        (MONEY, mssql.DOUBLE_PRECISION(), True),  # type: ignore[no-untyped-call]
        (MONEY, sa.INTEGER(), True),
        (MONEY, mssql.REAL(), False),  # type: ignore[no-untyped-call]
        (MONEY, sa.TEXT(), False),
        (DAY, sa.DATE(), True),
        (DAY, mssql.DATETIME(), True),
        (DAY, mssql.DATETIME2(7), True),  # type: ignore[no-untyped-call]
        (DAY, mssql.SMALLDATETIME(), True),
        (DAY, postgresql.TIMESTAMP(timezone=False), True),
        (DAY, postgresql.TIMESTAMP(timezone=True), False),
        (DAY, mssql.DATETIMEOFFSET(), False),  # type: ignore[no-untyped-call]
    ],
)
def test_check_accepts_what_a_consumer_can_decode(
    kind: ColumnType, live: object, is_fine: bool
) -> None:
    """And refuses what its contract would halt at: a real number, an instant with a zone."""
    assert is_fitting(kind, live) is is_fine
