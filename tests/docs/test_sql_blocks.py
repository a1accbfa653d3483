"""T-SQL in the docs can be pasted as it is: it parses, and each name is created before it is used,
for one kind of thing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlglot

from pipeline.config.document import template
from pipeline.domain.routes import ROUTES, captured

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"```(?:sql|tsql)\n(.*?)```", re.DOTALL)
HOW_TO = ROOT / "docs" / "howto" / "connect-sql-server.md"
BLOCKS = [(page, block) for page in PAGES for block in BLOCK.findall(page.read_text())]


@dataclass
class Server:
    """What the statements before have made.
    Users and roles of a database share one set of names.
    """

    database: str = ""
    logins: set[str] = field(default_factory=set)
    principals: dict[tuple[str, str], str] = field(default_factory=dict)
    captures: set[str] = field(default_factory=set)
    members: set[tuple[str, str]] = field(default_factory=set)
    gates: set[str] = field(default_factory=set)

    def run(self, statement: str) -> None:
        if found := re.match(r"USE (\w+)$", statement):
            self.database = found[1]
        elif found := re.match(r"CREATE LOGIN (\w+) ", statement):
            assert found[1] not in self.logins, statement
            self.logins.add(found[1])
        elif found := re.match(r"CREATE (USER|ROLE) (\w+)", statement):
            assert (self.database, found[2]) not in self.principals, statement
            self.principals[self.database, found[2]] = found[1]
            if login := re.search(r"FOR LOGIN (\w+)", statement):
                assert login[1] in self.logins, statement
        elif found := re.match(r"ALTER ROLE (\w+) ADD MEMBER (\w+)", statement):
            assert self.principals.get((self.database, found[1])) == "ROLE", statement
            assert (self.database, found[2]) in self.principals, statement
            self.members.add((found[1], found[2]))
        elif statement.startswith("GRANT"):
            self._grant(statement)
        elif statement.startswith("EXEC"):
            self._execute(statement)
        else:
            assert re.match(r"ALTER DATABASE CURRENT SET ", statement), statement

    def _grant(self, statement: str) -> None:
        to = statement.rsplit(" TO ", maxsplit=1)[1]
        assert (self.database, to) in self.principals, statement
        assert "SCHEMA::cdc" not in statement or self.database in self.captures, statement

    def _execute(self, statement: str) -> None:
        if "sp_cdc_enable_db" in statement:
            self.captures.add(self.database)
            return
        assert self.database in self.captures, statement
        gate = re.search(r"@role_name = N'(\w+)'", statement)
        if gate is not None:  # made by the procedure where it is missing
            assert self.principals.setdefault((self.database, gate[1]), "ROLE") == "ROLE", statement
            self.gates.add(gate[1])


def statements(page: Path) -> list[str]:
    """Those of every block of a page, in order, without comments."""
    text = "\n".join(BLOCK.findall(page.read_text()))
    return [
        " ".join(one.split()) for one in re.sub(r"--[^\n]*", "", text).split(";") if one.strip()
    ]


@pytest.mark.parametrize(
    ("page", "block"),
    BLOCKS,
    ids=lambda one: one.name if isinstance(one, Path) else "sql",
)
def test_every_block_of_t_sql_parses(page: Path, block: str) -> None:
    """And holds nothing that a person would have to take out before pasting it."""
    assert None not in sqlglot.parse(block.rstrip().rstrip(";"), read="tsql")
    assert block.isascii(), page


@pytest.mark.parametrize("page", sorted({page for page, _ in BLOCKS}), ids=lambda page: page.name)
def test_names_are_created_before_they_are_used_and_name_one_kind_of_thing(
    page: Path,
) -> None:
    """`@role_name` made a role of the name that CREATE USER wanted next."""
    server = Server()
    for statement in statements(page):
        server.run(statement)
    for gate in server.gates:
        assert any(role == gate for role, _ in server.members), f"nobody is a member of {gate}"


def test_every_captured_table_is_named_and_the_users_of_the_settings_exist() -> None:
    """The settings' template connects as the users that the page creates."""
    server = Server()
    for statement in statements(HOW_TO):
        server.run(statement)
    told = set(re.findall(r"@source_name = N'(\w+)'", HOW_TO.read_text()))
    assert told == {table.name for table in captured("ajera", ROUTES)}
    assert set(re.findall(r"mssql\+pyodbc://(\w+):", template(ROUTES))) <= server.logins
