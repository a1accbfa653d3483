"""The contract: the columns that mappings rely on,
and what happens when a writer schema breaks it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline.decoding.avro import Schemas
from pipeline.decoding.contract import Contract, types
from pipeline.decoding.event import Decoder
from pipeline.decoding.needs import needed_by
from pipeline.domain import ajera, dps, exchange_tables
from pipeline.domain.routes import AJERA_AND_DPS, AJERA_TO_PIM, ROUTES, captured
from pipeline.errors import ConfigurationInvalid, ContractBroken, Remedy
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType, SourceTable, union
from pipeline.model.event import Event
from pipeline.resources import schemas_directory
from pipeline.wiring.exchange_decoding import needs_of
from tests.unit.decoding.connector import (
    AX_PROJECT,
    AX_VEC,
    READ,
    Connector,
    flat,
    optional,
    writer_schema,
)

AJERA = schemas_directory() / "ajera"
LABEL = re.compile(r"\[(D|S|3P|C|I)\] ")
ACCEPTED = {
    ColumnType.INTEGER: {"null", "int", "long"},
    ColumnType.FLAG: {"null", "boolean", "int"},
    ColumnType.TEXT: {"null", "string"},
    ColumnType.DECIMAL: {"null", "int", "long", "double", "decimal"}
    | {"io.debezium.data.VariableScaleDecimal"},
    ColumnType.DATE: {"null"}
    | {f"io.debezium.time.{name}" for name in ("Date", "Timestamp")}
    | {f"io.debezium.time.{name}" for name in ("MicroTimestamp", "NanoTimestamp")},
}
NEEDS = needed_by(AJERA_TO_PIM.sources, AJERA_TO_PIM.mappings, Site())


DECLARED = {"ajera": ajera.CAPTURED, "dps": dps.CAPTURED}
TABLES = [(system, table) for system, tables in DECLARED.items() for table in tables]


def by_name(value: object) -> str:
    return value.name if isinstance(value, SourceTable) else str(value)


def contract_of(system: str, table: SourceTable) -> dict[str, Any]:
    """The contract file of a table."""
    path = schemas_directory() / system / f"{table.name}.avsc"
    found: dict[str, Any] = orjson.loads(path.read_bytes())
    return found


def broken(
    without: tuple[str, ...] = (),
    retyped: dict[str, Any] | None = None,
    site: Site | None = None,
    **row: Any,
) -> ContractBroken:
    """What a schema of AxVec with these faults gives."""
    connector = Connector(site or Site())
    schema = connector.register(
        writer_schema(AX_VEC, connector.site, without=without, retyped=retyped)
    )
    error = connector.error(
        connector.message(AX_VEC, schema, flat(AX_VEC, 5, site=connector.site, **row))
    )
    assert isinstance(error, ContractBroken)
    return error


@pytest.mark.parametrize("system", DECLARED)
def test_there_is_a_contract_for_each_captured_table_and_for_nothing_else(system: str) -> None:
    """A file that no table reads would look like a promise."""
    files = {path.stem for path in (schemas_directory() / system).glob("*")}
    assert files == {table.name for table in DECLARED[system]}


@pytest.mark.parametrize(("system", "table"), TABLES, ids=by_name)
def test_the_contract_names_the_columns_of_the_declaration_in_its_order(
    system: str, table: SourceTable
) -> None:
    """Neither can be changed without the other."""
    names = [field["name"] for field in contract_of(system, table)["fields"]]
    assert names == [column.name for column in table.columns]


@pytest.mark.parametrize("system", DECLARED)
def test_what_is_declared_of_a_system_is_what_the_routes_read_of_it(system: str) -> None:
    """A column that no route picks would be checked and captured for nothing."""
    asked = {"ajera": (exchange_tables.AX_TRANSACTION,), "dps": ()}  # by a query
    tables = union(captured(system, ROUTES), asked[system])
    read = {table.name: {*table.columns} for table in tables}
    assert read == {table.name: {*table.columns} for table in DECLARED[system]}


@pytest.mark.parametrize(("system", "table"), TABLES, ids=by_name)
def test_every_column_of_the_contract_says_how_we_know_it(system: str, table: SourceTable) -> None:
    """Its doc begins with an evidence label of evidence.md."""
    schema = contract_of(system, table)
    assert schema["name"] == table.name
    assert schema["doc"]
    for field in schema["fields"]:
        assert LABEL.match(field["doc"]), field["name"]


@pytest.mark.parametrize(("system", "table"), TABLES, ids=by_name)
def test_the_contract_accepts_what_the_mirror_of_a_column_can_hold(
    system: str, table: SourceTable
) -> None:
    """Keys are never null; every other column may be."""
    fields = contract_of(system, table)["fields"]
    accepted = {field["name"]: set(types(field["type"])) for field in fields}
    for column in table.columns:
        allowed = ACCEPTED[column.kind] - ({"null"} if column.name in table.key else set())
        assert accepted[column.name] == allowed, column.name


DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 19, "scale": 4}
VARIABLE = {
    "type": "record",
    "name": "VariableScaleDecimal",
    "fields": [],
    "connect.name": "io.debezium.data.VariableScaleDecimal",
}


def of_time(name: str) -> dict[str, str]:
    """What the connector declares a column with dates or times as."""
    declared = "int" if name == "Date" else "string" if name.startswith("Zoned") else "long"
    return {"type": declared, "connect.name": f"io.debezium.time.{name}"}


@pytest.mark.parametrize(
    ("column", "declared", "is_fine"),
    [
        ("tDate", of_time("Date"), True),  # date, in both databases
        ("tDate", of_time("Timestamp"), True),  # SQL Server: datetime, smalldatetime, datetime2(3)
        ("tDate", of_time("MicroTimestamp"), True),  # PostgreSQL: timestamp; datetime2(6)
        ("tDate", of_time("NanoTimestamp"), True),  # SQL Server: datetime2, datetime2(7)
        ("tDate", of_time("ZonedTimestamp"), False),  # its day hangs on the zone
        ("tDate", "string", False),
        ("tUnits", DECIMAL, True),  # decimal, numeric, money, smallmoney
        ("tUnits", VARIABLE, True),  # PostgreSQL: numeric without a scale
        ("tUnits", "double", True),
        ("tUnits", "int", True),
        ("tUnits", "float", False),  # exact to seven digits
        ("tUnits", "string", False),
    ],
)
def test_a_date_or_an_amount_may_be_of_every_type_that_tells_it_exactly(
    column: str, declared: Any, is_fine: bool
) -> None:
    """As the connector declares the types of both databases."""
    contract = Contract.load(AJERA)
    fields = {column: ["null", declared]}
    assert (contract.fault(ajera.AX_TRANSACTION, column, fields, Site()) is None) is is_fine


def test_a_contract_that_does_not_name_the_tables_columns_is_refused() -> None:
    """At start-up, before a message is read."""
    contract = Contract.load(AJERA)
    contract.refuse_unlike(ajera.CAPTURED)
    lacking = {**contract.tables, "AxVec": {"vecKey": frozenset({"int"})}}
    with pytest.raises(ConfigurationInvalid, match="AxVec"):
        Contract(lacking).refuse_unlike(ajera.CAPTURED)


def test_a_folder_without_contracts_is_refused(tmp_path: Path) -> None:
    """No contract at all would accept everything."""
    with pytest.raises(ConfigurationInvalid, match="No contract"):
        Contract.load(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "5", '{"fields": 5}', '{"fields": [{"type": "int"}]}'],
)
def test_a_contract_that_is_no_avro_record_is_refused_by_name(text: str, tmp_path: Path) -> None:
    """A file that an editor spoilt."""
    (tmp_path / "AxVec.avsc").write_text(text)
    with pytest.raises(ConfigurationInvalid, match=r"AxVec\.avsc"):
        Contract.load(tmp_path)


@pytest.mark.parametrize("table", READ, ids=by_name)
def test_every_column_that_the_route_picks_is_needed_by_a_named_line(
    table: SourceTable,
) -> None:
    """A column that no line of the route needs would not be picked."""
    assert set(NEEDS[table.name]) == {column.name for column in table.columns}
    assert all(" -> " in lines for lines in NEEDS[table.name].values())


def test_a_line_of_related_rows_names_the_columns_that_it_reads_elsewhere() -> None:
    """A project's client comes from two other tables; its code from its peers;
    its address has no third line.
    """
    assert "Project" in NEEDS["AxInvoiceGroup"]["igClient"]
    assert "Project" in NEEDS["AxVec"]["vecDescription"]
    assert "Project" not in NEEDS["AxVec"]["vecAddress3"]


def test_a_remembered_column_needs_what_it_is_computed_from() -> None:
    """Which rows are clients hangs on a flag."""
    assert "which rows" in NEEDS["AxVec"]["vecIsClient"]
    assert "cntVendor" in NEEDS["AxContact"]


def test_what_is_switched_off_needs_nothing() -> None:
    """A firm that syncs clients only may lack every table of projects."""
    clients = AJERA_TO_PIM.only(frozenset({"clients"}))
    needs = needed_by(clients.sources, clients.mappings, Site())
    assert set(needs) == {"AxVec"}
    assert "vecFirstName" not in needs["AxVec"]


def test_a_missing_column_halts_naming_column_line_and_schema() -> None:
    """What a person needs in order to correct it, in one sentence."""
    error = broken(without=("vecFax",))
    assert error.remedy is Remedy.HALT
    assert "AxVec.vecFax is missing" in str(error)
    assert "Organization.Fax Number" in str(error)
    assert "schema id 1" in str(error)


@pytest.mark.parametrize(
    ("column", "declared", "value", "word"),
    [
        ("vecDescription", "int", 1, "int"),
        ("vecZip", "long", 12_345, "long"),
        ("vecZip", "bytes", b"1", "bytes"),
        ("vecIsClient", "string", "Y", "string"),
        (
            "vecFax",
            {
                "type": "bytes",
                "logicalType": "decimal",
                "precision": 9,
                "scale": 0,
            },
            None,
            "decimal",
        ),
        ("vecFax", {"type": "array", "items": "string"}, None, "array"),
        (
            "vecIsVendor",
            {"type": "int", "connect.name": "io.debezium.time.Date"},
            1,
            "io.debezium.time.Date",
        ),
        ("vecKey", {"type": "string"}, "5", "string"),
        ("vecKey", ["null", "int"], 5, "null"),
    ],
)
def test_a_retyped_column_halts_naming_both_types(
    column: str, declared: Any, value: Any, word: str
) -> None:
    """A number for a text, a day for a flag, a key that may be null."""
    error = broken(retyped={column: declared}, **{column: value})
    assert f"AxVec.{column} has type " in str(error)
    assert word in str(error).partition("has type ")[2].partition(", accepted")[0]


def test_every_broken_column_is_named_at_once() -> None:
    """Not one more each time."""
    error = broken(without=("vecFax", "vecCity"), retyped={"vecEmail": "int"})
    assert all(column in str(error) for column in ("vecFax", "vecCity", "vecEmail"))


def test_a_broken_column_goes_by_the_sites_name_and_ours() -> None:
    """The person knows the one, the documentation the other."""
    site = Site.model_validate(
        {"source": {"AxVec": {"name": "firms", "columns": {"vecFax": "fax no"}}}}
    )
    assert "firms.fax no (AxVec.vecFax) is missing" in str(broken(without=("vecFax",), site=site))


def test_a_wider_number_is_fine() -> None:
    """An int that became a bigint."""
    connector = Connector()
    schema = connector.register(writer_schema(AX_VEC, retyped={"vecKey": "long"}))
    assert connector.event(connector.message(AX_VEC, schema, flat(AX_VEC, 1 << 40))).key == str(
        1 << 40
    )


def test_a_column_that_is_never_null_any_more_is_fine() -> None:
    """The source may be stricter than the contract."""
    schema = writer_schema(AX_VEC)
    schema["fields"] = [
        {"name": field["name"], "type": "string"} if field["name"] == "vecFax" else field
        for field in schema["fields"]
    ]
    connector = Connector()
    row = connector.event(
        connector.message(AX_VEC, connector.register(schema), flat(AX_VEC, 5, vecFax="1"))
    ).row
    assert row["vecFax"] == "1"


UNRELATED = (
    optional(
        "vecRate",
        {
            "type": "bytes",
            "logicalType": "decimal",
            "precision": 19,
            "scale": 4,
        },
    ),
    optional("vecBorn", {"type": "int", "connect.name": "io.debezium.time.Date"}),
    optional("vecScore", "double"),
    optional("vecTags", {"type": "array", "items": ["null", "string"]}),
    optional("vecSeen", {"type": "long", "logicalType": "timestamp-millis"}),
)


def test_added_columns_are_fine_whatever_they_hold() -> None:
    """Even a date that no calendar has: a column that we do not rely on cannot fail."""
    connector = Connector()
    schema = connector.register(writer_schema(AX_VEC, added=UNRELATED))
    plain = connector.schemas[schema] = writer_schema(
        AX_VEC, added=tuple(map(undressed, UNRELATED))
    )
    assert len(plain["fields"]) > len(AX_VEC.columns)
    odd = {
        "vecRate": b"\xff" * 40,
        "vecBorn": -(1 << 30),
        "vecScore": float("nan"),
        "vecTags": [None],
        "vecSeen": 1 << 62,
    }
    row = connector.event(connector.message(AX_VEC, schema, flat(AX_VEC, 5, vecFax="1") | odd)).row
    assert row["vecFax"] == "1"
    assert set(row) == {column.name for column in AX_VEC.columns}


def undressed(field: dict[str, Any]) -> dict[str, Any]:
    """The field without its logical type, to write what that type would refuse."""
    null, declared = field["type"]
    if isinstance(declared, dict) and "logicalType" in declared:
        declared = declared["type"]
    return {**field, "type": [null, declared]}


def test_a_column_that_no_mapping_needs_may_be_missing_or_retyped() -> None:
    """It is then absent from the row, which is neither null nor a value."""
    contract = Contract.load(AJERA)
    declared = writer_schema(AX_VEC, without=("vecFax",), retyped={"vecCity": "int"})
    needed = {"vecDescription": "client -> Organization.Name"}
    contract.check(AX_VEC, declared, 1, Site(), needed)
    with pytest.raises(ContractBroken):
        contract.check(AX_VEC, declared, 1, Site(), {**needed, "vecCity": "somebody"})


def test_a_table_that_nothing_needs_is_read_without_its_columns() -> None:
    """Clients alone are synced, and AxProject has lost a column: its events come without it."""
    connector = Connector()
    schema = connector.register(
        writer_schema(AX_PROJECT, without=("prjNotes",), retyped={"prjID": "int"})
    )
    decoder = Decoder(
        sources=READ,
        needs=needed_by(
            AJERA_TO_PIM.sources,
            AJERA_TO_PIM.only(frozenset({"clients"})).mappings,
            Site(),
        ),
        site=Site(),
        contract=Contract.load(AJERA),
        schemas=Schemas(connector.fetch),
        topic_prefix="ajera",
    )
    values = {
        name: value
        for name, value in flat(AX_PROJECT, 5, prjDescription="x").items()
        if name != "prjNotes"
    }
    found = decoder.decode(connector.message(AX_PROJECT, schema, values), 1)
    assert isinstance(found, Event)
    assert {"prjNotes", "prjID"}.isdisjoint(found.row)
    assert found.row["prjDescription"] == "x"


def test_a_broken_contract_is_told_again_for_each_message_without_asking_the_registry() -> None:
    """It is a fault of the schema, found once."""
    connector = Connector()
    schema = connector.register(writer_schema(AX_VEC, without=("vecFax",)))
    message = connector.message(AX_VEC, schema, flat(AX_VEC, 5))
    assert connector.error(message) is connector.error(message)
    assert connector.asked == [schema]


def test_a_missing_column_that_another_route_needs_does_not_halt_the_route_to_pim() -> None:
    """Of one table each route needs its own columns."""
    connector = Connector()
    lacking = writer_schema(ajera.AX_VEC, without=("vecSyncToCRM", "vecCountry"))
    values = flat(ajera.AX_VEC.pick(*(column.name for column in AX_VEC.columns)), 5, vecFax="1")
    event = connector.event(connector.message(AX_VEC, connector.register(lacking), values))
    assert event.row["vecFax"] == "1"


def test_a_missing_column_that_pim_alone_needs_does_not_halt_the_exchange() -> None:
    """A job title is nothing to DPS; a flag is."""
    contract, read = Contract.load(AJERA), AJERA_AND_DPS.ajera[0]
    needs = needs_of(AJERA_AND_DPS.ajera, AJERA_AND_DPS.entities)["AxVec"]
    contract.check(read, writer_schema(ajera.AX_VEC, without=("vecTitle",)), 1, Site(), needs)
    flagless = writer_schema(ajera.AX_VEC, without=("vecSyncToCRM",))
    with pytest.raises(ContractBroken, match="vecSyncToCRM"):
        contract.check(read, flagless, 1, Site(), needs)
