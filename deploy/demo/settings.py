"""The settings file of a run on the embedded stack:
the same file that a platform team writes for its own databases.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import tomli_w

from deploy.local.stack import Stack

FILE_NAME = "ajera-cdc.toml"
AJERA_VERSION = "9.08"  # from 8.09 on the exchange goes both ways
# What a firm must say before its first link.
EXCHANGE: Final[Mapping[str, str]] = {
    "employee_number": "E{key}",
    "employees": "all",
    "consultants": "all",
    "status_coding": "one_is_active",
}


def write(
    stack: Stack,
    ajera: str,
    pim: str | None,
    *,
    dps: str | None = None,
    has_accounting: bool = False,
    profile: Path | None = None,
    partitions: int = 4,
) -> Path:
    """Write the file into the stack's folder; returns its path.
    A route whose database is None is left out; accounting needs DPS's.
    """
    settings: dict[str, Any] = {
        "sources": {"ajera": {"database": ajera, "heartbeat_seconds": 2.0}},
        "routes": {} if pim is None else {"pim": {"database": pim}},
        "kafka": {
            "bootstrap_servers": stack.bootstrap,
            "partitions": partitions,
        },
        "registry": {
            "url": stack.registry,
            "converter_url": stack.registry_native,
        },
        "connect": {"url": stack.connect},
        "run": {"metrics_port": 0},
    }
    if dps is not None:
        settings["sources"]["ajera"]["version"] = AJERA_VERSION
        settings["sources"]["dps"] = {"database": dps, "heartbeat_seconds": 2.0}
        settings["routes"]["dps"] = dict(EXCHANGE)
    if has_accounting:
        settings["routes"]["accounting"] = {}  # its database is the one of DPS
    if profile is not None:
        settings = {"profile": str(profile.resolve()), **settings}
    path = stack.directory / FILE_NAME
    path.write_text(tomli_w.dumps(settings))
    return path


def merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Put the values into the tables, inner tables likewise;
    a table of client settings is one value.
    """
    for name, value in values.items():
        if isinstance(value, Mapping) and name != "client":
            merge(into.setdefault(name, {}), value)
        else:
            into[name] = value
