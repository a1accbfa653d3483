"""The settings file of a run on the embedded stack: the same file that a platform team writes for its own databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomli_w

from deploy.local.stack import Stack

FILE_NAME = "ajera-cdc.toml"


def write(stack: Stack, ajera: str, pim: str, *, profile: Path | None = None, partitions: int = 4) -> Path:
    """Write the file into the stack's folder; returns its path."""
    settings: dict[str, Any] = {
        "ajera": {"database": ajera},
        "pim": {"database": pim},
        "kafka": {"bootstrap": stack.bootstrap, "partitions": partitions},
        "registry": {"url": stack.registry, "converter_url": stack.registry_native},
        "connect": {"url": stack.connect, "heartbeat_seconds": 2.0},
        "run": {"metrics_port": 0},
    }
    if profile is not None:
        settings = {"profile": str(profile.resolve()), **settings}
    path = stack.directory / FILE_NAME
    path.write_text(tomli_w.dumps(settings))
    return path
