"""Both systems as the exchange knows them, empty: their tables, code lists and templates."""

from __future__ import annotations

from pipeline.domain.ajera import AX_PROJECT_CONTACT
from pipeline.domain.exchange_tables import (
    AJERA_TABLES,
    AX_PROJECT,
    AX_TRANSACTION,
    CODE_LISTS,
    DPS_TABLES,
    FILLS,
)
from pipeline.mapping.source import ColumnType, SourceColumn, SourceTable
from pipeline.pairing.entity import ListTable, TemplateRows
from tests.twins.clock import Ticks
from tests.twins.database import MemoryDatabase, SystemTable
from tests.twins.pairs import MemoryPairs
from tests.twins.turns import Turns

ORDER = SourceColumn(
    "prjOrder", ColumnType.INTEGER
)  # what a template tells of a phase, and nobody else reads


def both_systems(
    clock: Ticks,
    *,
    turns: Turns | None = None,
    first_key: int = 1,
    tells_positions: bool = True,
) -> MemoryPairs:
    """`first_key`: of what Ajera gives. `tells_positions`: we may read the place in either log."""
    lists = [one.ajera for one in CODE_LISTS]
    ajera = [
        *(
            SystemTable(table, (ORDER,) if table is AX_PROJECT else (), first_key)
            for table in (*AJERA_TABLES, AX_PROJECT_CONTACT)
        ),
        SystemTable(AX_TRANSACTION),
        *(SystemTable(list_table(one, ColumnType.INTEGER)) for one in lists),
        *(SystemTable(template_table(fill)) for fill in FILLS),
    ]
    dps = [
        *(SystemTable(table) for table in DPS_TABLES),
        *(
            SystemTable(list_table(one.dps, ColumnType.TEXT))
            for one in CODE_LISTS
            if one.dps is not None
        ),
    ]
    in_dps, in_ajera = (
        MemoryDatabase(of, clock, turns=turns, tells_positions=tells_positions)
        for of in (dps, ajera)
    )
    return MemoryPairs(in_dps, in_ajera, FILLS)


def list_table(table: ListTable, codes: ColumnType) -> SourceTable:
    """A code list."""
    flag = () if table.only_if is None else (SourceColumn(table.only_if, ColumnType.FLAG),)
    columns = (
        SourceColumn(table.code, codes),
        SourceColumn(table.description, ColumnType.TEXT),
        *flag,
    )
    return SourceTable(table.table, (table.code,), columns)


def template_table(fill: TemplateRows) -> SourceTable:
    """The rows that a template gives: found by the template, in their order."""
    kinds = {"tphDescription": ColumnType.TEXT}
    names = ("tphKey", fill.where, *(source for source, _ in fill.copied))
    return SourceTable(
        fill.source,
        ("tphKey",),
        tuple(SourceColumn(one, kinds.get(one, ColumnType.INTEGER)) for one in names),
    )
