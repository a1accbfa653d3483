"""Logs: one line an action, as JSON or readable on a terminal. Fields are names, numbers and codes; never row values."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog

LONGEST_FIELD = 500
REDACTED = "<redacted>"


def redact(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what cannot be a name, a number or a code: containers, bytes, objects and long texts."""
    for name, value in fields.items():
        plain = value is None or isinstance(value, (bool, int, float, str))
        if not plain or (isinstance(value, str) and len(value) > LONGEST_FIELD):
            fields[name] = REDACTED
    return fields


def configure(level: str, form: Literal["auto", "json", "console"], stream: TextIO = sys.stderr) -> None:
    """Set up logging for the process; libraries' warnings are written the same way."""
    readable = stream.isatty() if form == "auto" else form == "console"
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.EventRenamer("action"),
        redact,
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(event_key="action") if readable else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("ajera_cdc").setLevel(level)
