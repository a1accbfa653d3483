"""The decoders of the exchange: one for each side, and which columns they need."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.config.settings import Settings
from pipeline.conflicts.rules import Side
from pipeline.decoding.avro import Schemas
from pipeline.decoding.event import Decoder
from pipeline.domain.exchange_tables import AJERA_TABLES, DPS_TABLES
from pipeline.engine.exchange.unit_of_work import ExchangeConfig
from pipeline.mapping.source import SourceTable
from pipeline.pairing.entity import Entity
from pipeline.wiring.source import contract_of


def needs_of(
    tables: Sequence[SourceTable], of_entities: Sequence[Entity]
) -> dict[str, dict[str, str]]:
    """By table and column the lines that need it.
    What decides which rows are exchanged needs the rest of the contract.
    """
    found: dict[str, dict[str, str]] = {
        table.name: {column.name: "which rows are exchanged" for column in table.columns}
        for table in tables
    }
    for entity in of_entities:
        for side in Side:
            name = entity.side(side).table.name
            for pair in entity.rules.pairs:
                for column in pair.field(side).columns:
                    if name in found and column in found[name]:
                        found[name][column] = f"{entity.name}.{pair.name}"
    return found


def decoders_of(
    settings: Settings, setup: ExchangeConfig, fetch: Callable[[int], str]
) -> tuple[Decoder, Decoder]:
    """Ajera's and DPS's; `fetch` gives a writer schema's text by id."""
    site, schemas = settings.site, Schemas(fetch)

    def one(tables: Sequence[SourceTable], system: str, prefix: str) -> Decoder:
        return Decoder(
            sources=tables,
            needs=needs_of(tables, setup.entities),
            site=site,
            contract=contract_of(system),
            schemas=schemas,
            topic_prefix=prefix,
        )

    return (
        one(AJERA_TABLES, "ajera", settings.ajera.topic_prefix),
        one(DPS_TABLES, "dps", settings.dps.topic_prefix),
    )
