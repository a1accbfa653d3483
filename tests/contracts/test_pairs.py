"""What the exchange expects of both databases, held to PostgreSQL,
to SQL Server where one is given, and to the twins in memory.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from deploy.local.stack import Stack
from pipeline.conflicts import codec
from pipeline.conflicts.conflict import Conflict, Kind
from pipeline.conflicts.decision import Recorded
from pipeline.conflicts.fingerprint import of_lines
from pipeline.conflicts.forms import folded
from pipeline.conflicts.link import Link, LinkSide, Parked, Pending, Seen, State
from pipeline.conflicts.rules import Rule, Side
from pipeline.database.pairs import DatabasePairs
from pipeline.database.rehearsal import RehearsedPairs, rehearsed
from pipeline.database.sql.engine import create_engine
from pipeline.database.state.migrate import upgrade
from pipeline.database.systems.key_sources import generated_keys
from pipeline.database.systems.rows import Names
from pipeline.domain import dps, exchange_tables
from pipeline.domain.ajera import AX_INVOICE_GROUP
from pipeline.errors import ConcurrentWrite, TargetBusy, TargetRefused
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType as ColumnKind
from pipeline.mapping.source import SourceTable
from pipeline.model.event import Value
from pipeline.model.position import TopicOffset
from pipeline.model.text import BLANKS
from pipeline.pairing.entity import NewRow, ParkedWork
from tests.contracts.test_twin import beside
from tests.twins.clock import Ticks
from tests.twins.pairs import MemoryPairs
from tests.twins.people import People
from tests.twins.systems import both_systems

SQL_SERVER = "PIPELINE_TEST_SQLSERVER_URL"
SUFFIX = uuid.uuid4().hex[:8]
SYNC, OWN, AJERA_SCHEMA, DPS_SCHEMA = (
    f"{name}_{SUFFIX}" for name in ("sync", "own", "ajera", "dps")
)
NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
TYPES: dict[ColumnKind, TypeEngine[Any]] = {
    ColumnKind.INTEGER: sa.BigInteger(),
    ColumnKind.FLAG: sa.Boolean(),
    ColumnKind.TEXT: sa.Unicode(200),
}
LISTED: dict[str, list[dict[str, Value]]] = {
    "AxVendorType": [
        {"vtKey": 1, "vtDescription": "Consultant", "vtIsConsultant": True},
        {"vtKey": 2, "vtDescription": "Printer", "vtIsConsultant": False},
    ],
    "AxProjectTemplatePhase": [
        {
            "tphKey": n,
            "tphTemplate": 5,
            "tphDescription": name,
            "tphOrder": order,
        }
        for n, name, order in ((1, "Build", 2), (2, "Design", 1))
    ],
    "AxTransaction": [
        {
            "tKey": n,
            "tEmployee": who,
            "tVendor": None,
            "tProject": on,
            "tIsDeleted": deleted,
            "tIsCurrent": True,
        }
        for n, who, on, deleted in (
            *(
                (1, 5, 50, False),
                (2, 5, 50, False),
                (3, 5, 50, None),
                (4, 5, None, True),
            ),
            *((5, 6, 50, False), (6, None, 50, False)),
        )
    ],
}
DATABASES = (
    pytest.param("postgres", marks=pytest.mark.postgres),
    pytest.param("sqlserver", marks=pytest.mark.sqlserver),
)
KINDS = (pytest.param("memory"), *DATABASES)
AnyPairs = DatabasePairs | MemoryPairs


@pytest.fixture(params=KINDS, scope="module")
def pairs(request: pytest.FixtureRequest) -> AnyPairs:
    """Both systems of each kind, with two lists and a template."""
    found: AnyPairs = request.getfixturevalue(f"{request.param}_pairs")
    return found


@pytest.fixture(params=DATABASES, scope="module")
def in_databases(request: pytest.FixtureRequest) -> DatabasePairs:
    """The same, for what only databases can do."""
    found: DatabasePairs = request.getfixturevalue(f"{request.param}_pairs")
    return found


@pytest.fixture(scope="module")
def memory_pairs() -> MemoryPairs:
    """Both systems in memory, at the time of this machine,
    from which on their clock goes by itself.
    """
    pairs = both_systems(Ticks(datetime.now(UTC)))
    for table, rows in LISTED.items():
        for row in rows:
            People(pairs.ajera_database).insert(pairs.ajera_database.described[table].source, **row)
    return pairs


@pytest.fixture(scope="module")
def postgres_pairs(postgres: Stack) -> Iterator[DatabasePairs]:
    """In one PostgreSQL database of the suite's own."""
    yield from _in_database(postgres.create_database(f"pairs_{SUFFIX}"))


@pytest.fixture(scope="module")
def sqlserver_pairs() -> Iterator[DatabasePairs]:
    """In the database that the environment names, in schemas made for this run."""
    if not os.environ.get(SQL_SERVER):
        pytest.skip(f"{SQL_SERVER} is not set: nothing was run on SQL Server")
    yield from _in_database(os.environ[SQL_SERVER])


def _in_database(url: str) -> Iterator[DatabasePairs]:
    engine = create_engine(url, lock_timeout_seconds=10)
    upgrade(engine, SYNC, part="dps")
    upgrade(engine, OWN, part="ajera")
    _create(engine)
    site, created = (
        Site(),
        (exchange_tables.AX_VEC, exchange_tables.AX_PROJECT, AX_INVOICE_GROUP),
    )
    yield DatabasePairs(
        engine,
        engine,
        Names(site, Side.DPS, DPS_SCHEMA),
        Names(
            site,
            Side.AJERA,
            AJERA_SCHEMA,
            exchange_tables.FILLS,
            generated_keys(engine, AJERA_SCHEMA, site, created),
        ),
        SYNC,
        OWN,
    )
    engine.dispose()


def _create(engine: sa.Engine) -> None:
    metadata = sa.MetaData()
    for table in (exchange_tables.AX_VEC, exchange_tables.AX_PROJECT, AX_INVOICE_GROUP):
        extra = (
            [sa.Column("prjOrder", sa.BigInteger)] if table is exchange_tables.AX_PROJECT else []
        )
        _table(metadata, AJERA_SCHEMA, table, extra, is_generated=True)
    _table(metadata, AJERA_SCHEMA, exchange_tables.AX_TRANSACTION, [], is_generated=False)
    for table in (dps.CLENDOR, exchange_tables.PR):
        _table(metadata, DPS_SCHEMA, table, [], is_generated=False)
    text, number = sa.Unicode(100), sa.BigInteger
    sa.Table(
        "AxVendorType",
        metadata,
        sa.Column("vtKey", number, primary_key=True, autoincrement=False),
        sa.Column("vtDescription", text),
        sa.Column("vtIsConsultant", sa.Boolean),
        schema=AJERA_SCHEMA,
    )
    sa.Table(
        "AxProjectTemplatePhase",
        metadata,
        sa.Column("tphKey", number, primary_key=True, autoincrement=False),
        sa.Column("tphTemplate", number),
        sa.Column("tphDescription", text),
        sa.Column("tphOrder", number),
        schema=AJERA_SCHEMA,
    )
    with engine.begin() as connection:
        for schema in (AJERA_SCHEMA, DPS_SCHEMA):
            connection.execute(sa.schema.CreateSchema(schema))
        metadata.create_all(connection)
        for name, rows in LISTED.items():
            connection.execute(sa.insert(metadata.tables[f"{AJERA_SCHEMA}.{name}"]), rows)


def _table(
    metadata: sa.MetaData,
    schema: str,
    table: SourceTable,
    extra: list[sa.Column[int]],
    *,
    is_generated: bool,
) -> None:
    keys = {column.name for column in table.key_columns}
    columns: list[sa.Column[Any]] = [
        sa.Column(
            column.name,
            sa.Unicode(40)
            if column.name in keys and column.kind is ColumnKind.TEXT
            else TYPES[column.kind],
            *([sa.Identity()] if is_generated and column.name in keys else []),
            primary_key=column.name in keys,
            autoincrement=is_generated and column.name in keys,
        )
        for column in table.columns
    ]
    sa.Table(table.name, metadata, *columns, *extra, schema=schema)


def firm(key: str, name: str | None) -> NewRow:
    return NewRow((key,), {"Name": name, "ClientInd": "Y"})


def link(
    number: int,
    *,
    ajera: str | None = None,
    key: str | None = None,
    state: State = State.LINKED,
) -> Link:
    halves = (
        LinkSide("AxVec", ajera or str(number), Seen(epoch=1)),
        LinkSide("Clendor", key or f"K{number}", Seen(epoch=2)),
    )
    return Link(uuid.uuid4().hex, "firm", *halves, state=state)


# -- rows ------------------------------------------------------------------------------------------


def test_a_row_is_created_once_and_read_as_it_is(pairs: AnyPairs) -> None:
    """A second one of that key is refused, and changes nothing."""
    with pairs.transaction() as links:
        assert links.rows.insert(dps.CLENDOR, [firm("A", "Ärger & Co"), firm("B", "b")]) == [
            "A",
            "B",
        ]
        assert links.rows.insert(dps.CLENDOR, [firm("A", "other")]) == [None]
    with pairs.transaction() as links:
        found = links.rows.read(dps.CLENDOR, ["A", "C"], lock=True)
    assert found.keys() == {"A"}
    assert (
        found["A"]["Name"],
        found["A"]["ClientInd"],
        found["A"]["Memo"],
    ) == ("Ärger & Co", "Y", None)


def test_a_key_that_the_database_gives_is_told_and_a_template_gives_its_rows(
    pairs: AnyPairs,
) -> None:
    """In their order, owned by the row."""
    columns: dict[str, Value] = {
        "prjDescription": "Library",
        "prjStatus": 0,
        "@template": 5,
    }
    with pairs.ajera() as ajera:
        (key,) = ajera.rows.insert(exchange_tables.AX_PROJECT, [NewRow(None, columns)])
    assert key is not None
    with pairs.ajera() as ajera:
        assert (
            ajera.rows.read(exchange_tables.AX_PROJECT, [key])[key]["prjDescription"] == "Library"
        )
        phases = ajera.rows.having(exchange_tables.AX_PROJECT, ["prjProject"], [(int(key),)])
    by_key = [phases[one]["prjDescription"] for one in sorted(phases, key=int)]
    assert by_key == ["Design", "Build"]


def test_a_project_without_a_template_has_one_phase_and_one_invoice_group(
    pairs: AnyPairs,
) -> None:
    """The phase is called like the project; the group has no client yet."""
    columns: dict[str, Value] = {
        "prjDescription": "Station",
        "prjStatus": 0,
    }
    with pairs.ajera() as ajera:
        (key,) = ajera.rows.insert(exchange_tables.AX_PROJECT, [NewRow(None, columns)])
        assert key is not None
        phases = ajera.rows.having(exchange_tables.AX_PROJECT, ["prjProject"], [(int(key),)])
        groups = ajera.rows.having(AX_INVOICE_GROUP, ["igProject"], [(int(key),)])
    assert [row["prjDescription"] for row in phases.values()] == ["Station"]
    assert [row["igClient"] for row in groups.values()] == [None]


def test_columns_are_changed_in_the_rows_that_are_named_and_in_no_others(
    pairs: AnyPairs,
) -> None:
    """Several sets of columns at once; null is a value."""
    with pairs.transaction() as links:
        links.rows.insert(
            dps.CLENDOR,
            [firm("U1", "one"), firm("U2", "two"), firm("U3", "three")],
        )
        links.rows.update(
            dps.CLENDOR,
            {"U1": {"Name": None}, "U2": {"Memo": "m", "WebSite": "w"}},
        )
        found = links.rows.read(dps.CLENDOR, ["U1", "U2", "U3"])
    assert [found[key]["Name"] for key in sorted(found)] == [
        None,
        "two",
        "three",
    ]
    assert (found["U2"]["Memo"], found["U3"]["Memo"]) == ("m", None)


def test_names_are_found_whatever_their_case_and_blanks_around(
    pairs: AnyPairs,
) -> None:
    """In any of the columns; several may have one."""
    key = (" ", " ")
    with pairs.transaction() as links:
        links.rows.insert(
            dps.CLENDOR,
            [
                firm("N1", " Hill & CO "),
                firm("N2", "hill & co"),
                firm("N3", "hill"),
            ],
        )
        found = links.rows.named(dps.CLENDOR, ["Name"], ["Hill & Co"])
        links.rows.insert(
            exchange_tables.PR,
            [
                NewRow(("P|1", *key), {"Name": "Short"}),
                NewRow(("P2", *key), {"LongName": "short"}),
            ],
        )
        projects = links.rows.named(exchange_tables.PR, ["Name", "LongName"], ["SHORT"])
    assert found.keys() == {"N1", "N2"}
    assert projects.keys() == {"P%7C1| | ", "P2| | "}


LONGER = ["Hill Co and more", "\u00a0Hill Co, cut"]
SAME_NAME = [
    *(
        "Hill Co",
        "HILL CO",
        "hill  co",
        "\tHill\nCo\r",
        "Hill\u00a0Co",
        "\u2003Hill\u3000\u2028Co\u0085",
        "\u001fHill Co",
    ),
]
OTHER_NAME = [
    "Hill",
    "Hill C",
    "Hill Cp and",
    "\u200bHill Co",
    ".",
    "",
    None,
]


@pytest.mark.parametrize("wished", ["Hill Co", "hill\u00a0co ", "HILL  CO"])
def test_names_are_found_whatever_their_blanks_and_cut_at_the_length(
    pairs: AnyPairs, wished: str
) -> None:
    """One list for every dialect; every character that counts as blank does so in each."""
    blanks = [f"{blank}Hill{blank}{blank}Co{blank}" for blank in BLANKS]
    run = uuid.uuid4().hex[:8]
    names = {f"{run}S{n}": name for n, name in enumerate((*SAME_NAME, *blanks))}
    others = {f"{run}O{n}": name for n, name in enumerate(OTHER_NAME)}
    with pairs.transaction() as links:
        links.rows.insert(
            dps.CLENDOR,
            [firm(key, name) for key, name in (names | others).items()],
        )
        links.rows.insert(
            dps.CLENDOR,
            [firm(f"{run}L{n}", name) for n, name in enumerate(LONGER)],
        )
        found = links.rows.named(dps.CLENDOR, ["Name"], [wished])
        cut = links.rows.named(dps.CLENDOR, ["Name"], ["Hill Co"], 7)
    ours = {key for key in found if key.startswith(run)}
    assert ours == names.keys()
    assert set(LONGER) <= {row["Name"] for row in cut.values()}


@pytest.mark.parametrize(
    ("held", "wished"),
    [
        ("STRASSE", "Straße"),
        ("Straße", "STRASSE"),
        ("ΟΔΟΣ", "οδος"),
        ("ØRE", "øre"),
    ],
)
def test_names_are_found_in_other_letters(pairs: AnyPairs, held: str, wished: str) -> None:
    """As `folded` compares them."""
    with pairs.transaction() as links:
        links.rows.insert(dps.CLENDOR, [firm(key := uuid.uuid4().hex, held)])
        assert key in links.rows.named(dps.CLENDOR, ["Name"], [wished])
    assert folded(held) == folded(wished)


def test_the_search_for_names_misses_no_letter_that_folding_makes_another(
    pairs: AnyPairs,
) -> None:
    """The database's search may find more than `folded` takes for the same, never less:
    every letter that folds is tried.
    """
    letters = [
        chr(n)
        for n in range(0x110000)
        if not 0xD800 <= n < 0xE000 and folded(f"a{chr(n)}a") != f"a{chr(n)}a"
    ]
    letters = [letter for letter in letters if letter not in BLANKS and letter != "\x00"]
    groups = [letters[start : start + 40] for start in range(0, len(letters), 40)]
    names = {f"LT{number}": f"a{'a'.join(group)}a" for number, group in enumerate(groups)}
    with pairs.transaction() as links:
        links.rows.insert(dps.CLENDOR, [firm(key, name) for key, name in names.items()])
        found = links.rows.named(
            dps.CLENDOR,
            ["Name"],
            sorted({folded(name) for name in names.values()}),
        )
    missed = set(names.values()) - {row["Name"] for row in found.values()}
    assert missed == set()


def test_rows_are_found_by_groups_of_values_and_keys_of_several_columns_lead_back(
    pairs: AnyPairs,
) -> None:
    """A key that holds the bar that stands between its parts, too."""
    with pairs.transaction() as links:
        links.rows.insert(
            exchange_tables.PR,
            [
                NewRow(("G|2", " ", " "), {"Name": "g"}),
                NewRow(("G|2", "01", " "), {"Name": "phase"}),
            ],
        )
        found = links.rows.having(exchange_tables.PR, ["WBS1", "WBS2", "WBS3"], [("G|2", " ", " ")])
        assert links.rows.read(exchange_tables.PR, list(found)) == found
        assert set(found) <= set(links.rows.keys(exchange_tables.PR))
    assert [row["Name"] for row in found.values()] == ["g"]


def test_different_values_are_told_once_and_null_leads_to_no_row(
    pairs: AnyPairs,
) -> None:
    """Also where more than one of the given values leads to them, or one is given twice."""
    with pairs.transaction() as links:
        phases = [
            ("DI|1", "01"),
            ("DI|1", "02"),
            ("DI|1", "03"),
            ("DI2", "01"),
        ]
        names = ["same", "same", None, "other"]
        rows = [
            NewRow((*key, " "), {"Name": name}) for key, name in zip(phases, names, strict=True)
        ]
        links.rows.insert(exchange_tables.PR, rows)
        found = links.rows.distinct(
            exchange_tables.PR,
            ["WBS1", "Name"],
            "WBS1",
            ["DI|1", "DI2", "DI|1", "none", None],
        )
        assert found == {("DI|1", "same"), ("DI|1", None), ("DI2", "other")}
        assert links.rows.distinct(exchange_tables.PR, ["WBS1"], "WBS1", []) == set()
    with pairs.ajera() as ajera:
        columns = ["tEmployee", "tProject", "tIsDeleted"]
        entries = ajera.rows.distinct(exchange_tables.AX_TRANSACTION, columns, "tEmployee", [5, 7])
    assert entries == {(5, 50, False), (5, 50, None), (5, None, True)}
    assert all(deleted is None or isinstance(deleted, bool) for _, _, deleted in entries)


def test_a_list_is_read_with_the_entries_that_count(
    pairs: AnyPairs,
) -> None:
    """Only consultants among the vendor types."""
    with pairs.ajera() as ajera:
        lists = ajera.rows.lists(
            [one for one in exchange_tables.CODE_LISTS if one.name == "consultant"]
        )
    assert lists.of("consultant", Side.AJERA) == {1: "Consultant"}


def test_the_place_in_the_log_is_beyond_what_was_written_before_or_not_told(
    pairs: AnyPairs,
) -> None:
    """Text that sorts as the log does; and a clock that goes on within a transaction."""
    with pairs.transaction() as links:
        before, earlier = links.rows.log_position(), links.rows.clock()
        links.rows.insert(dps.CLENDOR, [firm("L1", "l")])
        after, later = links.rows.log_position(), links.rows.clock()
    assert later > earlier
    assert abs(later - datetime.now(UTC)) < timedelta(hours=1)
    if after is not None:
        assert before is None or before <= after
        assert len(after) in (16, 20)


def test_a_value_longer_than_its_column_is_in_no_row(
    pairs: AnyPairs,
) -> None:
    """It is looked up as any other; only writing it may be refused."""
    long = "x" * 5_000
    with pairs.transaction() as links, pairs.ajera() as ajera:
        assert links.rows.read(dps.CLENDOR, [long], lock=True) == {}
        assert links.rows.having(dps.CLENDOR, ["Name"], [(long,)]) == {}
        assert links.rows.named(dps.CLENDOR, ["Name"], [long]) == {}
        assert links.counterparts("firm", Side.DPS, [long]) == {}
        assert links.counted("firm", [long]) == {long: 0}
        assert ajera.creators("AxVec", [long]) == {}
        links.wake({long})
        links.unpark({long})


def test_long_values_are_stored_and_logged_whole(pairs: AnyPairs) -> None:
    """Drivers send texts of more than 2,000 characters in another form."""
    made, long = link(9501), "Ω" * 4_500
    entry = Conflict(
        made.id,
        "firm",
        "notes",
        Kind.FIRST_LINK,
        Rule.MANUAL,
        None,
        NOW,
        long,
        long,
        NOW,
        NOW,
    )
    with pairs.transaction() as links:
        link_side = LinkSide("Clendor", "K9501", Seen(epoch=2), {"notes": long})
        links.store(
            [
                (
                    Link(
                        made.id,
                        "firm",
                        made.ajera,
                        link_side,
                        state=State.LINKED,
                    ),
                    None,
                )
            ]
        )
        links.log([entry])
    with pairs.transaction() as links:
        ((_, found),) = links.logged(limit=10, link=made.id)
        assert found == entry
        assert links.links([made.id])[made.id].dps.value == {"notes": long}


# -- intentions ------------------------------------------------------------------------------------


def test_a_number_is_taken_once_and_given_up_until_it_is_recorded(
    pairs: AnyPairs,
) -> None:
    """What was carried out is told exactly; who created a row is found by its key."""
    number = f"{uuid.uuid4().hex}/1"
    with pairs.ajera() as ajera:
        assert ajera.take([number]) == {number}
        assert ajera.take([number]) == set()
        given_up = ajera.recorded([number])[number]
        assert (dict(given_up.held), given_up.key) == ({}, None)
        ajera.record(
            {
                number: (
                    "AxVec",
                    Recorded({"name": "x", "n": None}, "00ff", NOW, "77001", 3),
                )
            }
        )
    with pairs.ajera() as ajera:
        assert ajera.recorded([number])[number] == Recorded(
            {"name": "x", "n": None}, "00ff", NOW, "77001", 3
        )
        assert ajera.creators("AxVec", ["77001", "77002"]) == {"77001": number}


# -- links, log, parked work -----------------------------------------------------------------------


def test_a_link_is_found_by_either_row_and_comes_back_as_it_was(
    pairs: AnyPairs,
) -> None:
    """With what it counts for, and its counterpart."""
    made = link(9001)
    with pairs.transaction() as links:
        links.store([(made, "F1")])
    with pairs.transaction() as links:
        assert links.ids_of(Side.AJERA, "AxVec", ["9001"]) == {"9001": [made.id]}
        assert links.ids_of(Side.DPS, "Clendor", ["K9001"]) == {"K9001": [made.id]}
        assert links.links([made.id]) == {made.id: made}
        assert links.counterparts("firm", Side.AJERA, ["9001", "9002"]) == {"9001": "K9001"}
        assert links.linked_ids("firm", Side.DPS, ["K9001", "K9002"]) == {"K9001": made.id}
        assert links.linked_among("firm", Side.DPS, ["K9001", "K9002"]) == {"K9001"}
        assert links.counted("firm", ["F1", "F2"]) == {"F1": 1, "F2": 0}
        assert made.id in links.page_of_links("firm", Side.AJERA, 2, "", 1000)
        assert made.id not in links.page_of_links("firm", Side.AJERA, 1, "", 1000)


def test_a_rewritten_document_is_the_link_and_is_found_by_what_it_was_given(
    pairs: AnyPairs,
) -> None:
    """Its epochs too; what it counts for and its keys are as they were."""
    lines = {"name": "3f2a9c01/AD/n"}
    made = replace(link(9261), lines=lines)
    with pairs.transaction() as links:
        links.store([(made, "F9261")])
    changed = replace(made, version=2, ajera=replace(made.ajera, seen=Seen(epoch=7)))
    with pairs.transaction() as links:
        (text,) = links.documents([made.id, "nobody"]).values()
        assert links.opened([text]) == {made.id: made}
        links.rewrite([(codec.document_of(codec.dump(changed)), of_lines(lines))])
    with pairs.transaction() as links:
        assert links.links([made.id]) == {made.id: changed}
        assert links.ids_of(Side.DPS, "Clendor", ["K9261"]) == {"K9261": [made.id]}
        assert links.counted("firm", ["F9261"]) == {"F9261": 1}
        assert made.id not in links.page_of_links("firm", Side.AJERA, 7, "", 1000)
        assert made.id not in links.outdated_links({"firm": of_lines(lines)}, "", 1000)
        assert made.id in links.outdated_links({"firm": "another"}, "", 1000)


def test_links_that_do_not_know_all_lines_are_found_in_pages(pairs: AnyPairs) -> None:
    """In the order of their ids; one with an open write is among them, whatever it knows."""
    lines = {"name": "3f2a9c01/AD/n"}
    made = sorted(
        (replace(link(number), lines=lines) for number in range(9251, 9256)),
        key=lambda one: one.id,
    )
    old, asked, gone = made[0], made[1], made[2]
    pending = Pending(1, {"name": "n"}, {"name": "o"}, NOW)
    made[0] = replace(old, lines=None)
    made[1] = replace(asked, ajera=replace(asked.ajera, pending=(pending,)))
    made[2] = replace(gone, state=State.ENDED)
    with pairs.transaction() as links:
        links.store([(one, None) for one in made])
    ids = [one.id for one in made]

    def found(known: str, after: str = "", limit: int = 1000) -> list[str]:
        with pairs.transaction() as links:
            outdated = links.outdated_links({"firm": known, "contact": "no"}, after, limit)
        assert set(outdated.values()) <= {"firm", "contact"}
        return [one for one in outdated if one in ids]

    assert found(of_lines(lines)) == ids[:2]
    assert found("another") == [*ids[:2], *ids[3:]]
    assert found("another", after=ids[1]) == ids[3:]
    assert found("another", limit=1, after=ids[2]) in ([], [ids[3]])
    with pairs.transaction() as links:
        links.store([(replace(made[0], lines=lines), None)])
    assert found(of_lines(lines)) == [ids[1]]


def test_a_row_has_one_link_of_an_entity_that_has_not_ended(
    pairs: AnyPairs,
) -> None:
    """A second one is a race lost; after the end there is room for another."""
    first, second = link(9101), link(9101, key="K9102")
    with pairs.transaction() as links:
        links.store([(first, None)])
    with pytest.raises(ConcurrentWrite), pairs.transaction() as links:
        links.store([(second, None)])
    with pairs.transaction() as links:
        links.store(
            [
                (
                    Link(
                        first.id,
                        "firm",
                        first.ajera,
                        first.dps,
                        state=State.ENDED,
                    ),
                    None,
                )
            ]
        )
        links.store([(second, None)])
        assert links.counterparts("firm", Side.AJERA, ["9101"]) == {"9101": "K9102"}


def test_lines_to_be_decided_are_found_and_the_log_tells_both_values(
    pairs: AnyPairs,
) -> None:
    """The newest first; by number too."""
    made = link(9201)
    parked = {"notes": Parked("a", "b", NOW, Kind.UPDATE_ORIGIN_DIFFERS)}
    made = Link(
        made.id,
        "firm",
        made.ajera,
        made.dps,
        state=State.LINKED,
        parked=parked,
    )
    entry = Conflict(
        made.id,
        "firm",
        "notes",
        Kind.UPDATE_ORIGIN_DIFFERS,
        Rule.MANUAL,
        None,
        NOW,
        "Ann's ✓",
        None,
        NOW,
        None,
    )
    with pairs.transaction() as links:
        links.store([(made, None)])
        links.log([entry])
    with pairs.transaction() as links:
        assert made.id in links.with_parked_lines(1000)
        ((number, found),) = links.logged(limit=10, link=made.id)
        assert found == entry
        assert links.logged(limit=1, number=number) == [(number, entry)]


def test_parked_work_is_due_after_a_while_or_when_what_it_waits_for_has_come(
    pairs: AnyPairs,
) -> None:
    """It keeps its age; what is unparked is gone."""
    work = [
        ParkedWork(
            f"row/contact/dps/{n}",
            "contact",
            Side.DPS,
            str(n),
            "exchange.reference_missing",
            "why",
            None,
            waits,
        )
        for n, waits in ((1, "firm/dps/F9"), (2, None))
    ]
    with pairs.transaction() as links:
        links.park(work, NOW)
        assert links.waiting_count() >= 2
        assert links.due(10, NOW - timedelta(seconds=1)) == []
        links.wake({"firm/dps/F9"})
        assert links.due(10, NOW - timedelta(seconds=1)) == [work[0]]
        assert links.due(10, NOW + timedelta(seconds=1)) == work
        links.unpark([one.id for one in work])
        assert links.due(10, NOW + timedelta(days=1)) == []


def test_two_transactions_may_read_the_same_parked_work_and_neither_waits(
    pairs: AnyPairs,
) -> None:
    """Whoever tries it decides under the lock of its link."""
    work = ParkedWork("held/1", "contact", Side.DPS, "1", "exchange.reference_missing", "why")
    with pairs.transaction() as links:
        links.park([work], NOW)
    with pairs.transaction() as one, pairs.transaction() as other:
        assert (
            one.due(10, NOW + timedelta(seconds=1))
            == other.due(10, NOW + timedelta(seconds=1))
            == [work]
        )
    with pairs.transaction() as links:
        links.unpark([work.id])


def test_how_far_rows_without_a_link_were_read_comes_back_and_is_replaced(pairs: AnyPairs) -> None:
    """Position, place and epoch; of a row that was never read nothing."""
    by_snapshot = Seen("", TopicOffset(1, 0, 7), 2)
    streamed = Seen("00000002" + "0" * 24, TopicOffset(1, 0, 2**40), 2, committed_at=NOW)
    with pairs.transaction() as links:
        links.store_unlinked({"row/vendor/dps/1": by_snapshot, "row/vendor/dps/2": by_snapshot})
        links.store_unlinked({"row/vendor/dps/1": streamed})
    with pairs.transaction() as links:
        ids = [f"row/vendor/dps/{n}" for n in (1, 2, 3)]
        assert links.unlinked(ids) == {
            ids[0]: replace(streamed, committed_at=None),
            ids[1]: by_snapshot,
        }
        assert links.unlinked([]) == {}


def test_epochs_never_fall(pairs: AnyPairs) -> None:
    """Neither the newest seen nor the newest swept."""
    with pairs.transaction() as links:
        links.set_epoch(Side.DPS, 4, 2)
        links.set_epoch(Side.DPS, 3, 3)
        assert links.epochs()[Side.DPS] == (4, 3)
        links.remember("a setting", "one")
        links.remember("a setting", "two")


def test_an_error_undoes_everything_of_its_transaction(
    pairs: AnyPairs,
) -> None:
    """In either database."""
    with pytest.raises(ZeroDivisionError):
        _fail_in_dps(pairs)
    with pytest.raises(ZeroDivisionError):
        _fail_in_ajera(pairs)
    with pairs.transaction() as links, pairs.ajera() as ajera:
        assert links.rows.read(dps.CLENDOR, ["Z1"]) == {}
        assert ajera.recorded(["undone/1"]) == {}


def test_a_transaction_whose_statement_failed_takes_no_other_and_keeps_nothing(
    pairs: AnyPairs,
) -> None:
    """Row 1, row 2 refused, row 3: neither 1 nor 3 is kept, though the refusal was caught."""
    first, second = link(9301), link(9301, key="K9302")
    with pairs.transaction() as links:
        links.rows.insert(dps.CLENDOR, [firm("T1", "one")])
        links.store([(first, None)])
        with pytest.raises(ConcurrentWrite):
            links.store([(second, None)])
        with pytest.raises(TargetRefused):
            links.rows.insert(dps.CLENDOR, [firm("T3", "three")])
    with pairs.transaction() as links:
        assert links.rows.read(dps.CLENDOR, ["T1", "T3"]) == {}
        assert links.links([first.id]) == {}


# -- two transactions at a time --------------------------------------------------------------------


def waiting(call: Callable[[], object], pairs: AnyPairs) -> Callable[[], object]:
    """Begin a call beside this transaction, and go on once it waits: the twins can tell,
    a database is not asked.
    """
    begun = threading.Event()

    def then() -> object:
        begun.set()
        return call()

    finish = beside(then)
    assert begun.wait(20)
    deadline = time.monotonic() + 20
    while isinstance(pairs, MemoryPairs) and pairs.waiting == 0:
        assert time.monotonic() < deadline, "nobody waits for a lock"
    return finish


def test_who_locks_a_row_waits_for_whoever_changes_it_and_sees_the_change(
    pairs: AnyPairs,
) -> None:
    """Read as it is once it is locked."""

    def locked() -> object:
        with pairs.transaction() as other:
            return other.rows.read(dps.CLENDOR, ["W1"], lock=True)["W1"]["Name"]

    with pairs.transaction() as links:
        links.rows.insert(dps.CLENDOR, [firm("W1", "before")])
    with pairs.transaction() as links:
        links.rows.update(dps.CLENDOR, {"W1": {"Name": "after"}})
        found = waiting(locked, pairs)
    assert found() == "after"


@pytest.mark.parametrize("is_kept", [True, False])
def test_who_inserts_a_row_waits_for_whoever_inserts_the_same(
    pairs: AnyPairs, *, is_kept: bool
) -> None:
    """It is there already, or, where the other transaction fails, it is inserted."""
    key = f"I{is_kept}"

    def inserted() -> list[str | None]:
        with pairs.transaction() as other:
            return other.rows.insert(dps.CLENDOR, [firm(key, "second")])

    with suppress(ZeroDivisionError), pairs.transaction() as links:
        links.rows.insert(dps.CLENDOR, [firm(key, "first")])
        made = waiting(inserted, pairs)
        if not is_kept:
            raise ZeroDivisionError
    assert made() == ([None] if is_kept else [key])


def test_who_stores_a_link_of_a_row_waits_for_whoever_stores_another_and_loses(
    pairs: AnyPairs,
) -> None:
    """The unique key holds between transactions, too."""

    def second() -> None:
        with pairs.transaction() as other:
            other.store([(link(9601, key="K9602"), None)])

    with pairs.transaction() as links:
        links.store([(link(9601), None)])
        stored = waiting(second, pairs)
    with pytest.raises(ConcurrentWrite):
        stored()


def test_a_number_that_is_being_taken_is_waited_for(
    pairs: AnyPairs,
) -> None:
    """One of two has it."""
    number = f"{uuid.uuid4().hex}/1"

    def second() -> set[str]:
        with pairs.ajera() as other:
            return other.take([number])

    with pairs.ajera() as ajera:
        assert ajera.take([number]) == {number}
        taken = waiting(second, pairs)
    assert taken() == set()


def test_who_links_waits_for_whoever_links_and_sees_what_was_linked(
    pairs: AnyPairs,
) -> None:
    """The lock is held to the end of the transaction."""

    def counterparts() -> dict[str, str]:
        with pairs.transaction() as other:
            other.hold_linking()
            return other.counterparts("firm", Side.AJERA, ["9701"])

    with pairs.transaction() as links:
        links.hold_linking()
        found = waiting(counterparts, pairs)
        links.store([(link(9701), None)])
    assert found() == {"9701": "K9701"}


def test_of_two_transactions_that_wait_for_each_other_one_is_ended(
    pairs: AnyPairs,
) -> None:
    """It may be tried again."""
    first, second = link(9801).id, link(9802).id
    both_hold = threading.Barrier(2)
    with pairs.transaction() as links:
        links.store(
            [
                (replace(link(number), id=one), None)
                for number, one in ((9801, first), (9802, second))
            ]
        )

    def lock(one: str, then: str) -> str:
        try:
            with pairs.transaction() as links:
                links.links([one])
                both_hold.wait(20)
                links.links([then])
        except TargetBusy:
            return "busy"
        return "done"

    finish = beside(lambda: lock(first, second))
    assert sorted([lock(second, first), str(finish())]) == ["busy", "done"]


def _lose_a_race(rehearsal: RehearsedPairs, second: Link) -> None:
    with rehearsal.transaction() as links:
        links.rows.insert(dps.CLENDOR, [firm("R2", "two")])
        links.store([(second, None)])


def test_a_rehearsal_continues_after_a_part_that_failed_and_keeps_nothing(
    in_databases: DatabasePairs,
) -> None:
    """What the failed part had decided is undone, what came before stays;
    at the end all of it is undone.
    """
    first, second = link(9401), link(9401, key="K9402")
    with rehearsed(in_databases) as rehearsal:
        with rehearsal.transaction() as links:
            links.store([(first, None)])
            links.rows.insert(dps.CLENDOR, [firm("R1", "one")])
        with pytest.raises(ConcurrentWrite):
            _lose_a_race(rehearsal, second)
        with rehearsal.transaction() as links:
            assert links.counterparts("firm", Side.AJERA, ["9401"]) == {"9401": "K9401"}
            assert links.rows.read(dps.CLENDOR, ["R1", "R2"]).keys() == {"R1"}
    with in_databases.transaction() as links:
        assert links.links([first.id]) == {}
        assert links.rows.read(dps.CLENDOR, ["R1"]) == {}


def _fail_in_dps(pairs: AnyPairs) -> None:
    with pairs.transaction() as links:
        links.rows.insert(dps.CLENDOR, [firm("Z1", "z")])
        raise ZeroDivisionError


def _fail_in_ajera(pairs: AnyPairs) -> None:
    with pairs.ajera() as ajera:
        ajera.take(["undone/1"])
        raise ZeroDivisionError
