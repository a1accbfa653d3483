"""What statements need to know of a database's tables: worked out once, not each transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.database.sql.session import Session
from pipeline.database.state.added import AddedColumns
from pipeline.database.state.ledger import Mirror, mirrors
from pipeline.database.systems.target_names import Names, names_of
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site


@dataclass(frozen=True, slots=True)
class TableNames:
    """Of the mirrors, by source table; and of the target's tables, by name."""

    mirrors: Mapping[str, Mirror]
    names: Mapping[str, Names]


def table_names_of(
    session: Session,
    route: Route,
    site: Site,
    sync_schema: str,
    target_schema: str | None,
    added: AddedColumns,
) -> TableNames:
    return TableNames(
        mirrors(session, sync_schema, route.sources, added),
        names_of(session, target_schema, site, route.targets),
    )
