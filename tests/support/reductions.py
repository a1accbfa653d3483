"""Releases before this one: PIM's route with something taken out of it, which this release adds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.mapping.mirror import MirroredTable
from pipeline.mapping.route import Route
from pipeline.mapping.table import Column, Related, TableMapping

CLIENT_COLUMNS = ("Client", "Client Address 1", "Client Address 2", "City", "State", "Zip")


@dataclass(frozen=True)
class Reduction:
    """What this release adds to the one before. `cells`: target columns that the release before
    left alone, by table: people typed there. `loses_history`: what is added remembers what nobody
    kept.
    """

    name: str
    before: Route
    cells: tuple[tuple[str, str], ...] = ()
    loses_history: bool = False


def _mirror(table: MirroredTable, *columns: str) -> MirroredTable:
    """The mirror without these columns."""

    def kept(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name not in columns)

    own = tuple(one for one in table.table.columns if one.name not in columns)
    return replace(
        table,
        table=replace(table.table, columns=own),
        remembered=tuple(one for one in table.remembered if one.name not in columns),
        shared=kept(table.shared),
        indexed=kept(table.indexed),
        groups=kept(table.groups),
        owners=tuple(one for one in table.owners if one[0] not in columns),
    )


def _lines(mapping: TableMapping, *targets: str) -> TableMapping:
    """The mapping without the lines of these target columns."""
    return replace(mapping, lines=tuple(one for one in mapping.lines if one.target not in targets))


def _route(
    table: str,
    columns: tuple[str, ...],
    change: Callable[[TableMapping], TableMapping | None],
) -> Route:
    sources = tuple(
        _mirror(one, *columns) if one.name == table else one
        for one in AJERA_TO_PIM.sources
        if one.name != table or columns
    )
    mappings = tuple(found for one in AJERA_TO_PIM.mappings if (found := change(one)) is not None)
    return replace(AJERA_TO_PIM, sources=sources, mappings=mappings)


def _other_fax(mapping: TableMapping) -> TableMapping:
    other = Column("vecPhone2", "Fax Number")
    lines = tuple(other if one.target == "Fax Number" else one for one in mapping.lines)
    return replace(mapping, lines=lines)


def _without_client(mapping: TableMapping, table: str = "") -> TableMapping:
    """Projects without what they show of their client."""
    paths = tuple(
        one
        for one in mapping.paths
        if one.table != table and (one.table, one.column) != ("AxInvoiceGroup", "igClient")
    )
    return replace(_lines(mapping, *CLIENT_COLUMNS), paths=paths)


def _without_groups(mapping: TableMapping) -> TableMapping:
    return _without_client(mapping, "AxInvoiceGroup")


def _without_organization(mapping: TableMapping) -> TableMapping:
    if mapping.name != "contact":
        return mapping
    return replace(_lines(mapping, "Organization ID"), parents=(), paths=())


def _codes_by_key(mapping: TableMapping) -> TableMapping:
    """Every project has its key for a code, whoever typed what."""
    if mapping.name != "project":
        return mapping
    code = Related("Project Code", (), "prjKey", lambda rows: rows.root.key)
    lines = tuple(code if one.target == code.target else one for one in mapping.lines)
    return replace(mapping, lines=lines, groups=())


REDUCTIONS = (
    Reduction(
        "a column with its line",
        _route("AxVec", ("vecFax",), lambda one: _lines(one, "Fax Number")),
        (("Organization", "Fax Number"),),
    ),
    Reduction("a column for a line", _route("AxVec", ("vecFax",), _other_fax)),
    Reduction(
        "a column that other rows show",
        _route("AxVec", ("vecZip",), lambda one: _lines(one, "Zip", "Post Code")),
        (("Organization", "Post Code"), ("Project", "Zip")),
    ),
    Reduction(
        "a column by which rows are found",
        _route("AxInvoiceGroup", ("igProject", "left_igProject"), _without_groups),
        (("Project", "Client"), ("Project", "City")),
        loses_history=True,
    ),
    Reduction(
        "a column that leads to other rows",
        _route("AxInvoiceGroup", ("igClient",), _without_client),
        (("Project", "Client"), ("Project", "City")),
    ),
    Reduction(
        "a table",
        _route("AxInvoiceGroup", (), _without_groups),
        (("Project", "Client"), ("Project", "City")),
    ),
    Reduction(
        "a rule", replace(AJERA_TO_PIM, mappings=tuple(map(_other_fax, AJERA_TO_PIM.mappings)))
    ),
    Reduction(
        "a column by which rows are decided together",
        _route("AxProject", ("code_group",), _codes_by_key),
        loses_history=True,
    ),
    Reduction(
        "a flag with its map",
        _route("AxVec", ("ever_vecIsVendor",), lambda one: None if one.name == "vendor" else one),
        loses_history=True,
    ),
    Reduction(
        "a value that is remembered",
        _route("AxContact", ("organization",), _without_organization),
        loses_history=True,
    ),
)
