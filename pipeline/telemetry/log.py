"""Logs: one line an action, as JSON or readable on a terminal. Fields are names, numbers and codes;
never row values.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any, Literal, TextIO

import structlog

from pipeline.telemetry.folding import Folding

LONGEST_FIELD = 500
REDACTED = "<redacted>"


def redact(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what cannot be a name, a number or a code: containers, bytes, objects and long texts.

    Of an exception its type and where it was raised stay: its text may quote a row,
    and so may the values of its frames.
    """
    error = _exception(fields.pop("exc_info", None))
    if error is not None:
        fields["error_type"] = type(error).__name__
        fields["raised_at"] = _raised_at(error)
    for name, value in fields.items():
        plain = value is None or isinstance(value, (bool, int, float, str))
        if not plain or (isinstance(value, str) and len(value) > LONGEST_FIELD):
            fields[name] = REDACTED
    return fields


def _exception(exc_info: Any) -> BaseException | None:
    match exc_info:
        case BaseException():
            return exc_info
        case (_, BaseException() as error, _):
            return error
        case _:
            return sys.exc_info()[1] if exc_info else None


def _raised_at(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def configure(
    level: str,
    form: Literal["auto", "json", "console"],
    stream: TextIO = sys.stderr,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Set up logging for the process; libraries' warnings are written the same way, and a line that
    they repeat once in ten minutes.
    """
    shared, renderer = _processors(form, stream)
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
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                renderer,
            ],
        )
    )
    handler.addFilter(Folding(clock=clock))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("ajera_cdc").setLevel(level)


def line(
    form: Literal["auto", "json", "console"], stream: TextIO, action: str, **fields: Any
) -> None:
    """One line in the same form, of a process that logs nothing else: a command."""
    shared, renderer = _processors(form, stream)
    logger = structlog.wrap_logger(
        structlog.PrintLogger(stream), processors=[*shared, renderer], wrapper_class=None
    )
    logger.info(action, **fields)


def _processors(form: Literal["auto", "json", "console"], stream: TextIO) -> tuple[list[Any], Any]:
    """What each line passes, and what writes it down at last."""
    readable = stream.isatty() if form == "auto" else form == "console"
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.EventRenamer("action"),
        redact,
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(event_key="action")
        if readable
        else structlog.processors.JSONRenderer()
    )
    return shared, renderer
