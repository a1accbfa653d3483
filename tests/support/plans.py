"""What PostgreSQL reads for a statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from pipeline.database.sql.dialect import Cells
from pipeline.database.sql.postgres import Postgres
from pipeline.database.sql.session import ConnectedSession
from pipeline.model.event import Value


def read(plan: dict[str, Any]) -> Iterator[tuple[str, str, float]]:
    """Table, kind of node, and rows read, of every node that reads a table."""
    if "Relation Name" in plan:
        rows = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
        yield plan["Relation Name"], plan["Node Type"], rows
    for part in plan.get("Plans", ()):
        yield from read(part)


class Explaining(ConnectedSession):
    """A session that notes what each of its statements over rows reads and answers."""

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__(connection, Postgres())
        self.nodes: list[tuple[str, str, float]] = []
        self.answers = 0
        self.statements = 0

    def run(
        self, place: str, sql: str, rows: Sequence[Cells], **parameters: Value
    ) -> list[tuple[Value, ...]]:
        if not rows:
            return []
        given = {**self.dialect.parameters(rows), **parameters}
        explained = self.connection.execute(sa.text(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}"), given)
        self.nodes.extend(read(explained.scalar_one()[0]["Plan"]))
        answers = super().run(place, sql, rows, **parameters)
        self.answers += len(answers)
        self.statements += 1
        return answers

    @property
    def rows_read(self) -> float:
        return sum(rows for _, _, rows in self.nodes)
