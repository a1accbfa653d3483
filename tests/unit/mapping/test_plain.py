"""A mapping made ready for plain rows gives what the general way gives, or leaves the row to it."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from pipeline.domain.pim import CLIENT, EMPLOYEE, ENGAGEMENT, PERSON, VENDOR
from pipeline.domain.pim_mirror import MIRRORED
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.errors import ValueRefused
from pipeline.mapping.apply import build
from pipeline.mapping.fit import fit
from pipeline.mapping.neighbours import Graph
from pipeline.mapping.plain import plain
from pipeline.mapping.site import ColumnPolicy, OverflowPolicy, Site, TargetNames
from pipeline.mapping.source import ColumnType, SourceColumn
from pipeline.mapping.table import TableMapping
from pipeline.mapping.target import TargetTable
from pipeline.model.event import Value
from pipeline.model.ledger import LedgerRow

TABLES = {table.name: table for table in MIRRORED}
TEXTS = ("", " ", "a", " Ωmega\t", "\x00", "b\x00", "ß", "\U0001f600", "né", "Ölpreis 3", "0")
REFUSING = Site(
    target={
        "Organization": TargetNames(
            policies={"Fax Number": ColumnPolicy(too_long=OverflowPolicy.REFUSE)}
        )
    }
)


def random_value(chance: random.Random, column: SourceColumn) -> Value:
    if column.kind is ColumnType.INTEGER:
        return chance.randint(1, 1_000_000)
    if column.kind is ColumnType.FLAG:
        return chance.random() < 0.5
    if chance.random() < 0.1:
        return None
    return chance.choice(TEXTS) * chance.choice((1, 1, 1, 24, 50, 100, 260))


def in_latin(table: TargetTable) -> TargetTable:
    return replace(table, columns=tuple(replace(c, encoding="cp1252") for c in table.columns))


@pytest.mark.parametrize("mapping", [CLIENT, VENDOR, EMPLOYEE, PERSON], ids=lambda m: str(m.name))
@pytest.mark.parametrize("utf16", [False, True])
@pytest.mark.parametrize("site", [Site(), REFUSING], ids=["cuts", "refuses"])
def test_a_plain_row_is_what_build_and_fit_give(
    mapping: TableMapping, site: Site, *, utf16: bool
) -> None:
    """Of random rows; where anything has to be made to fit or is refused, there is none."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance, counts = random.Random(seed), Counter[str]()
    source, table = TABLES[mapping.source], AJERA_TO_PIM.target(mapping.target)
    ready = plain(mapping, table, site, utf16=utf16)
    assert ready is not None
    for _ in range(500):
        values = {one.name: random_value(chance, one) for one in source.mirrored()}
        root = LedgerRow(source.name, "1", values)
        found = ready.row(values)
        built = build(mapping, root, Graph(site, TABLES), frozenset()).row
        try:
            fitted = fit(table, built, site, utf16=utf16)
        except ValueRefused:
            assert found is None
            counts["refused"] += 1
            continue
        if found is None:
            counts["left"] += 1
            assert fitted.done or utf16
            continue
        counts["plain"] += 1
        assert not fitted.done
        assert (found.table, found.key, found.values) == (
            fitted.row.table,
            fitted.row.key,
            fitted.row.values,
        )
        assert list(found.prefill) == list(fitted.row.prefill)
    assert {"plain", "left"} <= counts.keys()


@pytest.mark.parametrize("utf16", [False, True])
def test_a_column_that_cannot_hold_every_character_is_left_to_the_general_way(
    *, utf16: bool
) -> None:
    """Which characters it lacks is known there."""
    table = in_latin(AJERA_TO_PIM.target(CLIENT.target))
    ready = plain(CLIENT, table, Site(), utf16=utf16)
    values = dict.fromkeys((one.name for one in TABLES["AxVec"].mirrored()), "a")
    assert ready is not None
    assert ready.row({**values, "vecKey": 1}) is None


def test_a_mapping_that_reads_other_rows_is_not_plain() -> None:
    """Its target row depends on more than its root."""
    table = AJERA_TO_PIM.target(ENGAGEMENT.target)
    assert plain(ENGAGEMENT, table, Site(), utf16=False) is None


def test_a_target_whose_rows_are_others_or_that_requires_more_is_not_plain() -> None:
    """There a row may not be created."""
    table = AJERA_TO_PIM.target(CLIENT.target)
    assert plain(CLIENT, replace(table, is_others=True), Site(), utf16=False) is None
    assert plain(CLIENT, replace(table, unique=("Name",)), Site(), utf16=False) is None
    required = tuple(replace(one, nullable=False) for one in table.columns)
    assert plain(PERSON, replace(table, columns=required), Site(), utf16=False) is None
