"""Microsoft's ODBC driver is found and set by us, and no other driver is taken."""

from __future__ import annotations

import ctypes
import socket
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import quote_plus

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from pipeline.database.sql import odbc
from pipeline.database.sql.address import Place
from pipeline.database.sql.engine import create_engine
from pipeline.database.sql.errors import sqlserver_failure
from pipeline.database.sql.session import translated
from pipeline.errors import (
    CredentialsRefused,
    DatabaseMissing,
    DriverMissing,
    DriverUnsupported,
    ExitCode,
    HostUnknown,
    PipelineError,
    ServiceUnreachable,
    TlsRefused,
)
from tests.support.odbc import Driver, engine_on
from tests.support.tds import refusing


def has_driver_manager() -> bool:
    """Is unixODBC on this machine; .ci/run installs it."""
    try:
        ctypes.CDLL("libodbc.so.2")
    except OSError:
        return False
    return True


needs_unixodbc = pytest.mark.skipif(not has_driver_manager(), reason="unixODBC is not installed")


@pytest.mark.parametrize(
    "driver",
    [
        "FreeTDS",
        "freetds",
        "/usr/lib/x86_64-linux-gnu/odbc/libtdsodbc.so",
        "{FreeTDS}",
    ],
)
@pytest.mark.parametrize(
    "form",
    [
        "mssql+pyodbc://u:secret@host/PIM?driver={}",
        "mssql+pyodbc:///?odbc_connect={}",
    ],
)
def test_freetds_is_refused_by_its_name(driver: str, form: str) -> None:
    """Its ROLLBACK after an error fails, and what comes later runs outside a transaction."""
    value = f"DRIVER={driver};SERVER=host;PWD=secret" if "odbc_connect" in form else driver
    with pytest.raises(DriverUnsupported) as refused:
        create_engine(form.format(quote_plus(value)))
    assert "3903" in refused.value.sentence
    assert "secret" not in refused.value.sentence
    assert refused.value.exit_code is ExitCode.ENVIRONMENT


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("libtdsodbc.so", "01.03.0017"),
        ("libmsodbcsql-17.10.so.6.1", "17.10.0006"),
        ("SQLSRV32.DLL", "10.00.19041"),
        ("libmsodbcsql-18.6.so.2.1", ""),
    ],
)
def test_a_connection_through_another_driver_is_refused(name: str, version: str) -> None:
    """A data source's name does not say which driver is behind it."""
    engine = engine_on(
        Driver(
            info={
                Driver.SQL_DRIVER_NAME: name,
                Driver.SQL_DRIVER_VER: version,
            }
        )
    )
    odbc.refuse_other_drivers(engine)
    with (
        pytest.raises(DriverUnsupported),
        translated(engine, "the catalogue"),
    ):
        engine.connect()


@pytest.mark.parametrize(
    "name",
    [
        "libmsodbcsql-18.6.so.2.1",
        "msodbcsql18.dll",
        "libmsodbcsql.18.dylib",
    ],
)
def test_microsofts_driver_is_taken(name: str) -> None:
    """On each system it has another name."""
    engine = engine_on(
        Driver(
            info={
                Driver.SQL_DRIVER_NAME: name,
                Driver.SQL_DRIVER_VER: "18.06.0002",
            }
        )
    )
    odbc.refuse_other_drivers(engine)
    engine.connect().close()


@needs_unixodbc
@pytest.mark.parametrize(
    "address",
    [
        "mssql+pyodbc://u:p@host/PIM",
        "mssql+pyodbc://u:p@host/PIM?Encrypt=yes",
        "mssql+pyodbc://u:p@host/PIM?driver=ODBC+Driver+18+for+SQL+Server",
        "mssql+pyodbc:///?odbc_connect=" + quote_plus("SERVER=host;DATABASE=PIM;UID=u;PWD=p;"),
        "mssql+pyodbc:///?odbc_connect="
        + quote_plus("Driver={ODBC Driver 18 for SQL Server};SERVER=host"),
        "mssql+pyodbc://u:p@a_data_source",
    ],
)
def test_long_texts_go_out_as_max_types_whatever_form_the_address_has(
    address: str,
) -> None:
    """As ntext, the driver's default, a database of an _SC or _UTF8 collation refuses them."""
    ready = odbc.connecting(make_url(address), "ajera-cdc")
    said = str(ready.query.get("odbc_connect") or ready.query)
    assert "LongAsMax" in said
    assert "ajera-cdc" in said
    if ready.host != "a_data_source":
        assert odbc.found(odbc.NAME) in said


@needs_unixodbc
def test_the_driver_comes_with_the_wheel_where_none_is_registered() -> None:
    """Nothing is installed by hand."""
    file = odbc.packaged()
    assert file is not None
    assert file.is_file()
    assert odbc.found(odbc.NAME) in (odbc.NAME, str(file))
    assert odbc.found("Another Driver") == "Another Driver"


@contextmanager
def closed() -> Iterator[int]:
    """A port that is bound, and never listened on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


LOGIN_FAILED = (18456, "Login failed for user 'clerk'.")
NOT_OPENED = (4060, 'Cannot open database "PIM" requested by the login. The login failed.')


@needs_unixodbc
@pytest.mark.parametrize(
    ("server", "host", "encrypt", "fault", "says"),
    [
        (closed(), "127.0.0.1", "no", ServiceUnreachable, "nothing listens there"),
        (closed(), "no-such-host.invalid", "no", HostUnknown, "no host of that name"),
        (refusing(LOGIN_FAILED), "127.0.0.1", "no", CredentialsRefused, "SQL Server 18456"),
        (refusing(NOT_OPENED, LOGIN_FAILED), "127.0.0.1", "no", DatabaseMissing, "SQL Server 4060"),
        (refusing(), "127.0.0.1", "yes", TlsRefused, "SQL Server 20"),
        (refusing(hangs_up=True), "127.0.0.1", "no", ServiceUnreachable, "a server listens there"),
    ],
    ids=["port", "host", "password", "database", "encryption", "another server"],
)
def test_the_driver_tells_why_it_could_not_connect(
    server: AbstractContextManager[int],
    host: str,
    encrypt: str,
    fault: type[PipelineError],
    says: str,
) -> None:
    """Each has its own code and sentence, names the database, and never shows the password."""
    with server as port:
        address = f"mssql+pyodbc://clerk:secret@{host}:{port}/PIM?Encrypt={encrypt}"
        engine = create_engine(address, name="PIM", connect_timeout_seconds=2)
        with pytest.raises(PipelineError) as failed, translated(engine, "the target"):
            engine.connect()
    assert type(failed.value) is fault
    assert says in str(failed.value)
    assert f"PIM at {host}:{port}/PIM as clerk: " in str(failed.value)
    assert "secret" not in failed.value.sentence
    assert "ajera-cdc check" in failed.value.hint


@needs_unixodbc
@pytest.mark.parametrize("driver", ["No Such Driver", "/no/such/library.so"])
def test_a_driver_that_cannot_be_loaded_is_named(driver: str) -> None:
    """The driver manager says 01000, or IM002."""
    engine = sa.create_engine(f"mssql+pyodbc://u:secret@host/PIM?driver={quote_plus(driver)}")
    with (
        pytest.raises(DriverMissing, match="cannot be loaded") as failed,
        translated(engine, "the target"),
    ):
        engine.connect()
    assert driver in str(failed.value)
    assert "unixodbc" in failed.value.sentence
    assert "secret" not in failed.value.sentence


def test_a_driver_manager_that_is_not_there_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """pyodbc itself cannot be imported then."""
    monkeypatch.setitem(sys.modules, "pyodbc", None)
    with pytest.raises(DriverMissing, match="cannot be loaded") as missing:
        create_engine("mssql+pyodbc://u:secret@host/PIM")
    assert "unixODBC" in missing.value.sentence
    assert "secret" not in missing.value.sentence


def test_what_is_missing_is_told_from_what_is_refused() -> None:
    """Neither is `target.refused`, which would send a person to the database."""
    text = (
        "[01000] [unixODBC][Driver Manager]Can't open lib 'ODBC Driver 18 for SQL Server' : file "
        "not found (0) (SQLDriverConnect)"
    )
    assert type(sqlserver_failure(Exception("01000", text), Place("the target"))) is DriverMissing


@pytest.mark.parametrize(
    ("release", "folder"),
    [
        ({"ID": "debian"}, "debian_ubuntu"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "debian_ubuntu"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "rhel"),
        ({"ID": "opensuse-leap", "ID_LIKE": "suse opensuse"}, "suse"),
        ({"ID": "alpine"}, "alpine"),
        ({}, "debian_ubuntu"),
    ],
)
def test_the_wheels_folder_is_that_of_the_distribution(
    release: dict[str, str], folder: str
) -> None:
    """By what /etc/os-release says."""
    assert odbc.distribution(release) == folder
