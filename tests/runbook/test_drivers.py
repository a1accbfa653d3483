"""The page of an ODBC driver that is refused: its name is taken out of the address."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w
from sqlalchemy.engine import URL, make_url

from tests.support.runbook import OnCall
from tests.support.tds import refusing

CODE = "environment.driver_unsupported"
SQL_SERVER = "PIPELINE_TEST_SQLSERVER_URL"
LOGIN_FAILED = (18456, "Login failed for user 'writer'.")


@pytest.fixture(
    params=(
        "a server that refuses every login",
        pytest.param("a server", marks=pytest.mark.sqlserver),
    )
)
def address(request: pytest.FixtureRequest) -> Iterator[URL]:
    """Of PIM, without a driver."""
    if request.param == "a server":
        if SQL_SERVER not in os.environ:
            pytest.skip(f"{SQL_SERVER} is not set: nothing was run on SQL Server")
        yield make_url(os.environ[SQL_SERVER]).difference_update_query(["driver"])
        return
    with refusing(LOGIN_FAILED) as port:
        yield make_url(f"mssql+pyodbc://writer:secret@127.0.0.1:{port}/pim?Encrypt=no")


def settings(folder: Path, pim: URL) -> Path:
    shown = pim.render_as_string(hide_password=False)
    raw = {"sources": {"ajera": {"database": shown}}, "routes": {"pim": {"database": shown}}}
    path = folder / "ajera-cdc.toml"
    path.write_text(tomli_w.dumps(raw))
    return path


def test_a_driver_that_is_refused_is_taken_out_of_the_address(address: URL, tmp_path: Path) -> None:
    """Nothing asks the server before that; then Microsoft's driver does, and what is said next is
    the server's. A server without PIM's tables says that they are missing.
    """
    named = address.update_query_dict({"driver": "FreeTDS"})
    person = OnCall(settings(tmp_path, named), CODE)
    shown = person.look(AREA="PIM")
    assert CODE in shown
    assert "FreeTDS is not supported" in shown
    assert "secret" not in shown
    assert not person.is_over(AREA="PIM")
    settings(tmp_path, address)
    (answer,) = person.typing(AREA="PIM")
    assert CODE not in answer.shown
    is_let_in = address.password != "secret"
    assert ("environment." in answer.shown) is not is_let_in
    assert is_let_in or "SQL Server 18456" in answer.shown
