"""A session on a connection: what it does after a failure, and how it reads answers."""

from __future__ import annotations

import pytest

from pipeline.database.sql.session import ConnectedSession
from pipeline.database.sql.sqlserver import SqlServer
from pipeline.errors import (
    PipelineError,
    RowRejected,
    TargetBusy,
    TargetRefused,
)
from tests.support.odbc import Driver, OdbcError, engine_on

TOO_LONG = OdbcError(
    "22001",
    "[22001] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]x (2628) (SQLExecDirectW)",
)
DEADLOCK = OdbcError(
    "40001",
    "[40001] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]x (1205) (SQLExecDirectW)",
)


@pytest.mark.parametrize("again", ["ask", "tell", "run"])
def test_a_session_whose_statement_failed_sends_no_other(
    again: str,
) -> None:
    """SQL Server's driver begins another transaction by itself,
    and would commit what came after without what came before.
    """
    driver = Driver([[[(1,)]], TOO_LONG])
    with engine_on(driver).connect() as connection:
        session = ConnectedSession(connection, SqlServer())
        session.tell("Organization", "first")
        with pytest.raises(RowRejected):
            session.tell("Organization", "second")
        with pytest.raises(TargetRefused, match="failed before the statement at Contact"):
            session.run("Contact", "third", [(1,)]) if again == "run" else getattr(session, again)(
                "Contact", "third"
            )
    assert driver.statements == ["first", "second"]


def test_what_is_told_of_the_first_failure_holds_no_value() -> None:
    """The sentence names the place, and the number that the server gave."""
    driver = Driver(
        [
            OdbcError(
                "22001",
                "[22001] [SQL Server]Truncated value: 'Jane Doe'. (2628) (SQLExecDirectW)",
            )
        ]
    )
    with engine_on(driver).connect() as connection:
        session = ConnectedSession(connection, SqlServer())
        with pytest.raises(RowRejected):
            session.ask("Organization", "first")
        with pytest.raises(TargetRefused) as refused:
            session.ask("Contact", "second")
    assert "2628" in str(refused.value)
    assert "Jane" not in str(refused.value)


def test_a_part_that_is_undone_alone_makes_room_for_statements_again() -> None:
    """A rehearsal undoes what one transaction of the real run would have undone."""
    driver = Driver([[], [], TOO_LONG, [], [[(7,)]]])
    with engine_on(driver).connect() as connection:
        session = ConnectedSession(connection, SqlServer())
        with pytest.raises(RowRejected), session.savepoint():
            session.tell("link", "refused")
        assert session.ask("link", "SELECT 7") == [(7,)]
    _, save, refused, undo, select = driver.statements
    assert (refused, select) == ("refused", "SELECT 7")
    assert save.startswith("SAVE TRANSACTION")
    assert undo.startswith("ROLLBACK TRANSACTION")


def test_a_part_whose_failure_was_caught_is_undone_all_the_same() -> None:
    """Who swallows a refusal has written nothing."""
    driver = Driver([[], [], TOO_LONG])
    with engine_on(driver).connect() as connection:
        session = ConnectedSession(connection, SqlServer())
        with session.savepoint(), pytest.raises(PipelineError):
            session.tell("link", "refused")
    assert driver.statements[-1].startswith("ROLLBACK TRANSACTION")


@pytest.mark.parametrize("way", ["ask", "tell"])
def test_every_answer_is_read_to_its_end(way: str) -> None:
    """An answer closed earlier is cancelled,
    and under XACT_ABORT its transaction is rolled back.
    """
    driver = Driver([[[(1,), (2,)], [(3,)], []]])
    with engine_on(driver).connect() as connection:
        answer = getattr(ConnectedSession(connection, SqlServer()), way)(
            "due", "SELECT 1; SELECT 3"
        )
    assert driver.left_unread == []
    assert answer in (None, [(1,), (2,)])


def test_an_error_behind_the_answer_fails_the_statement() -> None:
    """It comes when the answer's end is read."""

    with engine_on(Driver([[[(1,)], DEADLOCK]])).connect() as connection:
        session = ConnectedSession(connection, SqlServer())
        with pytest.raises(TargetBusy):
            session.ask("due", "SELECT 1")
        with pytest.raises(TargetRefused):
            session.ask("due", "SELECT 1")
