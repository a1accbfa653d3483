"""Keys of rows created in Ajera: `check` shows where they come from,
and a key table that is behind loses no row.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.local.stack import Stack
from pipeline.conflicts.rules import Side
from pipeline.mapping.site import Site
from tests.support.outbox import World, world

AJERA, DPS = Side.AJERA, Side.DPS
PROFILE = """
[keys]
table = "AxKey"
table_column = "keyOf"
key_column = "keyNext"
holds = "{holds}"
names = {{ AxProject = "Projects" }}
"""
NEXT = PROFILE.format(holds="next")
CHANGES = (
    'ALTER TABLE "AxVec" ALTER COLUMN "vecKey" DROP IDENTITY',
    'ALTER TABLE "AxProject" ALTER COLUMN "prjKey" DROP IDENTITY',
    'CREATE TABLE "AxKey" ("keyOf" text, "keyNext" integer)',
)
TABLES = (
    "AxVec",
    "AxContact",
    "AxProject",
    "AxInvoiceGroup",
    "AxProjectContact",
)


@pytest.fixture
def counted(postgres: Stack) -> Iterator[World]:
    """The firms' and the projects' keys are no identities; a client has the key 7."""
    with world(
        postgres,
        site=Site.model_validate(tomllib.loads(NEXT)),
        in_ajera=CHANGES,
    ) as made:
        made.client(7, "Hill")
        yield made


def keys(world: World, profile: str = "", *, expect: int = 3) -> dict[str, dict[str, Any]]:
    """What `check` says of keys, by table."""
    lines = world.command("check", "--only", "DPS", profile=profile, expect=expect)["lines"]
    return {
        line["name"].removeprefix("keys of "): line
        for line in lines
        if line["name"].startswith("key")
    }


def test_check_says_where_each_tables_keys_come_from_and_what_is_there(
    counted: World,
) -> None:
    """Without a key table: identities, and the highest plus one."""
    found = keys(counted, expect=0)
    assert tuple(found) == TABLES
    assert all(line["is_ok"] for line in found.values())
    assert found["AxVec"]["found"] == "highest plus one; highest key 7"
    assert found["AxContact"]["found"] == "identity; highest key 0"


@pytest.mark.parametrize(
    ("holds", "held", "is_ok"),
    [
        ("next", 8, True),
        ("next", 7, False),
        ("last", 7, True),
        ("last", 6, False),
    ],
)
def test_check_says_whether_the_key_table_is_beyond_the_highest_key(
    counted: World, holds: str, held: int, *, is_ok: bool
) -> None:
    """And shows both."""
    counted.insert(AJERA, "AxKey", keyOf="AxVec", keyNext=held)
    line = keys(counted, PROFILE.format(holds=holds))["AxVec"]
    assert line["found"] == f"key table AxKey, {holds} key {held}; highest key 7"
    assert (line["is_ok"], "key table" in line["action"]) == (
        is_ok,
        not is_ok,
    )


def test_check_fails_where_a_table_without_identity_has_no_row_in_the_key_table(
    counted: World,
) -> None:
    """One with an identity needs none; one with two, or without a number, has no key."""
    for name, key in (("AxVec", 8), ("AxVec", 9)):
        counted.insert(AJERA, "AxKey", keyOf=name, keyNext=key)
    found = keys(counted, NEXT)
    assert {name for name, line in found.items() if not line["is_ok"]} == {
        "AxVec",
        "AxProject",
    }
    assert "2 rows" in found["AxVec"]["found"]
    assert (
        found["AxProject"]["found"]
        == "no row in the key table AxKey: highest plus one; highest key 0"
    )
    assert "keys.names" in found["AxProject"]["action"]
    counted.insert(AJERA, "AxKey", keyOf="Projects", keyNext=None)
    assert "no whole number" in keys(counted, NEXT)["AxProject"]["found"]


@pytest.mark.parametrize(
    "change",
    [
        'DROP TABLE "AxKey"',
        'ALTER TABLE "AxKey" RENAME "keyNext" TO "keyLast"',
    ],
)
def test_check_fails_where_the_key_table_is_not_as_the_profile_says(
    counted: World, change: str
) -> None:
    """The table, or a column of it; the rest of the lines are there."""
    counted.do(AJERA, change)
    found = keys(counted, NEXT)
    assert {name for name, line in found.items() if not line["is_ok"]} == {
        "key table AxKey",
        "AxVec",
        "AxProject",
    }
    assert "missing" in found["AxVec"]["found"] or "lacks keyNext" in found["AxVec"]["found"]


def test_check_fails_where_a_table_in_which_rows_are_created_is_missing(
    counted: World,
) -> None:
    """The one that is not captured, too."""
    counted.do(AJERA, 'DROP TABLE "AxProjectContact"')
    line = keys(counted)["AxProjectContact"]
    assert (line["is_ok"], line["found"]) == (False, "the table is missing")


def test_a_key_table_that_is_behind_parks_the_row_until_it_is_corrected(
    counted: World,
) -> None:
    """Then the row is created with the key that the table gives; nothing was written before."""
    counted.insert(AJERA, "AxKey", keyOf="AxVec", keyNext=7)
    counted.insert(AJERA, "AxKey", keyOf="Projects", keyNext=100)
    counted.firm("D1", "Dale")
    counted.project(DPS, "P1", "Library")
    counted.settle()
    assert counted.parked() == {"firm/dps/D1": "ajera.key_table"}
    assert counted.do(AJERA, 'SELECT count(*) FROM "AxVec"') == 1
    assert (
        counted.do(
            AJERA,
            'SELECT string_agg("prjKey"::text, \' \' ORDER BY "prjKey") FROM "AxProject"',
        )
        == "100 101"
    )
    counted.do(
        AJERA,
        'UPDATE "AxKey" SET "keyNext" = 8 WHERE "keyOf" = %s',
        "AxVec",
    )
    counted.wait()
    assert counted.parked() == {}
    assert (
        counted.do(
            AJERA,
            'SELECT "vecKey" FROM "AxVec" WHERE "vecDescription" = %s',
            "Dale",
        )
        == 8
    )
    assert (
        counted.do(
            AJERA,
            'SELECT "keyNext" FROM "AxKey" WHERE "keyOf" = %s',
            "AxVec",
        )
        == 9
    )
