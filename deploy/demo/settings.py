"""The settings file of a run on the embedded stack: the same file that a platform team writes for its own databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomli_w

from deploy.local.stack import Stack

FILE_NAME = "ajera-cdc.toml"
AJERA_VERSION = "9.08"  # from 8.09 on the exchange goes both ways


def write(
    stack: Stack, ajera: str, pim: str, *, dps: str | None = None, profile: Path | None = None, partitions: int = 4
) -> Path:
    """Write the file into the stack's folder; returns its path. With `dps` it has the exchange too."""
    settings: dict[str, Any] = {
        "ajera": {"database": ajera},
        "pim": {"database": pim},
        "kafka": {"bootstrap": stack.bootstrap, "partitions": partitions},
        "registry": {"url": stack.registry, "converter_url": stack.registry_native},
        "connect": {"url": stack.connect, "heartbeat_seconds": 2.0},
        "run": {"metrics_port": 0},
    }
    if dps is not None:
        settings["ajera"]["version"] = AJERA_VERSION
        settings["dps"] = {"database": dps, "employee_number": "E{key}", "status_coding": "one_is_active"}
    if profile is not None:
        settings = {"profile": str(profile.resolve()), **settings}
    path = stack.directory / FILE_NAME
    path.write_text(tomli_w.dumps(settings))
    return path
