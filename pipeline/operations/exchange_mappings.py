"""The maps between Ajera and DPS as they stand in the code, with this site's names and rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pipeline.conflicts.rules import ColumnPair, Direction, Rule, Side
from pipeline.domain.choice import EVERYBODY
from pipeline.domain.exchange import entities
from pipeline.domain.status import StatusCoding
from pipeline.mapping.site import Site
from pipeline.pairing.entity import Entity

DIRECTIONS = {
    Direction.BOTH: "both ways",
    Direction.TO_DPS: "Ajera to DPS",
    Direction.TO_AJERA: "DPS to Ajera",
    Direction.NEITHER: "not written",
}


@dataclass(frozen=True, slots=True)
class ExchangedLine:
    """One line: its name, as rules and the conflict log call it, and which columns meet,
    in which direction, by which rule.
    """

    name: str
    ajera: str
    dps: str
    direction: str
    rule: str
    owner: str
    note: str


@dataclass(frozen=True, slots=True)
class ExchangedTable:
    """An entity: its tables, where rows of it are created, and what it belongs to."""

    entity: str
    ajera: str
    dps: str
    created_in: tuple[str, ...]
    belongs_to: str | None
    lines: tuple[ExchangedLine, ...]


def shown(
    site: Site,
    *,
    two_way: bool = True,
    status: StatusCoding = StatusCoding.NONE,
) -> tuple[ExchangedTable, ...]:
    """Every entity as this site exchanges it; `two_way` False: what is left below Ajera 8.09.
    Raises ProfileInvalid.
    """
    rules = {name: Rule(rule) for name, rule in site.rules.items()}
    found = entities(
        two_way=two_way,
        rules=rules,
        clock_tolerance=timedelta(0),
        status=status,
        choices=EVERYBODY,
    )
    return tuple(_table(entity, site) for entity in found)


def _table(entity: Entity, site: Site) -> ExchangedTable:
    return ExchangedTable(
        entity=entity.name,
        ajera=site.source_table(entity.ajera.table.name),
        dps=site.source_table(entity.dps.table.name),
        created_in=tuple(side.value for side in Side if side in entity.creates),
        belongs_to=entity.parent,
        lines=tuple(_line(pair, entity, site) for pair in entity.rules.pairs),
    )


def _line(pair: ColumnPair, entity: Entity, site: Site) -> ExchangedLine:
    def columns(side: Side) -> str:
        table = entity.side(side).table.name
        return ", ".join(site.source_column(table, column) for column in pair.field(side).columns)

    is_written = pair.direction is not Direction.NEITHER
    owner, rule = (
        (pair.owning_side or pair.sender or pair.owner, pair.rule) if is_written else ("-", "-")
    )
    return ExchangedLine(
        pair.name,
        columns(Side.AJERA),
        columns(Side.DPS),
        DIRECTIONS[pair.direction],
        rule,
        owner,
        pair.note,
    )
