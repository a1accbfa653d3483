"""Microsoft's ODBC driver: where it comes from, how it is set, and why no other one is taken."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL

from pipeline.errors import DriverUnsupported

PACKAGE = "mssql_python_odbc"  # Microsoft's wheel with its driver
NAME = "ODBC Driver 18 for SQL Server"
OLDEST = 18  # the first that knows LongAsMax
# Long texts go out as nvarchar(max). As ntext, the default,
# a database of an _SC or _UTF8 collation refuses them (4189).
LONG_AS_MAX = "LongAsMax"
_IN_STRING = re.compile(r"(?:^|;)\s*(driver|dsn)\s*=\s*(\{[^}]*\}|[^;]*)", re.IGNORECASE)
_DISTRIBUTIONS = {
    "suse": "suse",
    "rhel": "rhel",
    "fedora": "rhel",
    "centos": "rhel",
    "alpine": "alpine",
}


def connecting(url: URL, application: str) -> URL:
    """The address with Microsoft's driver, where it names none, and with what we set.
    Raises DriverUnsupported.
    """
    whole = url.query.get("odbc_connect")
    if isinstance(whole, str):
        return url.update_query_dict({"odbc_connect": _completed(whole, application)})
    wanted = {"APP": application, LONG_AS_MAX: "Yes"}
    named = url.query.get("driver")
    if named is None and url.database is None:  # the host is a data source's name
        return url.update_query_dict(wanted)
    driver = str(named or NAME)
    refuse_named(driver)
    return url.update_query_dict({**wanted, "driver": found(driver)})


def _completed(whole: str, application: str) -> str:
    named = {key.lower(): value for key, value in _IN_STRING.findall(whole)}
    driver = named.get("driver", "").strip("{} ")
    refuse_named(driver)
    if not named:
        whole = f"DRIVER={{{found(NAME)}}};{whole}"
    elif driver == NAME:
        whole = whole.replace(named["driver"], f"{{{found(NAME)}}}", 1)
    return f"{whole.rstrip('; ')};{LONG_AS_MAX}=Yes;APP={application}"


def refuse_named(driver: str) -> None:
    """Raises DriverUnsupported for the name of a driver that is another one."""
    if re.search(r"freetds|tdsodbc", driver, re.IGNORECASE):
        raise DriverUnsupported(f"{driver} is not supported")


def refuse_connected(name: str, version: str) -> None:
    """Raises DriverUnsupported unless what a connection says of its driver is Microsoft's,
    18 or later.
    """
    major = version.split(".", maxsplit=1)[0]
    if "msodbcsql" not in name.lower() or not major.isdigit() or int(major) < OLDEST:
        raise DriverUnsupported(f"{name} {version} is not supported")


def found(driver: str) -> str:
    """The driver as the driver manager finds it: the wheel's file for Microsoft's name,
    unless that name is registered.
    """
    import pyodbc

    if driver != NAME or driver in pyodbc.drivers():
        return driver
    file = packaged()
    return NAME if file is None else str(file)


def packaged() -> Path | None:
    """The driver's file in Microsoft's wheel; on Windows a driver must be registered,
    a file is not enough.
    """
    package = find_spec(PACKAGE)
    places = package.submodule_search_locations if package is not None else None
    if not places:
        return None
    libraries = Path(next(iter(places))) / "libs"
    match platform.system():
        case "Linux":
            release = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
            folder, pattern = (
                f"linux/{distribution(release)}/{platform.machine()}/lib",
                "libmsodbcsql-*.so*",
            )
        case "Darwin":
            folder, pattern = (
                f"macos/{platform.machine()}/lib",
                "libmsodbcsql*.dylib",
            )
        case _:
            return None
    return next(iter(sorted((libraries / folder).glob(pattern))), None)


def distribution(release: Mapping[str, str]) -> str:
    """The folder of the wheel for a Linux, from its os-release;
    Debian's fits those that say nothing else.
    """
    words = f"{release.get('ID', '')} {release.get('ID_LIKE', '')}".lower().split()
    known = [folder for word in words for name, folder in _DISTRIBUTIONS.items() if name in word]
    return known[0] if known else "debian_ubuntu"


def refuse_other_drivers(engine: sa.Engine) -> None:
    """Every new connection is asked for its driver."""

    @sa.event.listens_for(engine, "connect")
    def ask(connection: Any, _: object) -> None:
        dbapi = engine.dialect.loaded_dbapi
        name, version = (
            connection.getinfo(getattr(dbapi, f"SQL_DRIVER_{word}")) for word in ("NAME", "VER")
        )
        refuse_connected(str(name), str(version))
