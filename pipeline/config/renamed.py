"""Keys that are called otherwise since 0.2: refused, with the new name in the message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DPS_SOURCE = (
    "database",
    "schema",
    "topic_prefix",
    "connector_name",
    "slot_name",
)
_DPS_ROUTE = (
    *(
        "sync_schema",
        "group",
        "dead_letter_topic",
        "contacts_per_firm",
        "contacts_per_project",
    ),
    *(
        "project_number",
        "employee_number",
        "status_coding",
        "clock_tolerance_seconds",
    ),
)
_PIM = (
    *(
        "database",
        "schema",
        "sync_schema",
        "projects",
        "clients",
        "contacts",
        "employees",
    ),
    "vendors",
)

RENAMED: Mapping[str, str] = {
    **{
        f"ajera.{key}": f"sources.ajera.{key}"
        for key in ("edition", "database", "schema", "version")
    },
    "ajera.own_schema": "sources.ajera.sync_schema",
    **{f"pim.{key}": f"routes.pim.{key}" for key in _PIM},
    "kafka.bootstrap": "kafka.bootstrap_servers",
    "kafka.replicas": "kafka.replication_factor",
    "kafka.group": "routes.pim.group",
    "kafka.dead_letter_topic": "routes.pim.dead_letter_topic",
    "kafka.topic_prefix": "sources.ajera.topic_prefix",
    "connect.connector_name": "sources.ajera.connector_name",
    "connect.slot_name": "sources.ajera.slot_name",
    "connect.heartbeat_seconds": "sources.ajera.heartbeat_seconds",
    "connect.source_host": "sources.ajera.connect_host",
    "connect.source_port": "sources.ajera.connect_port",
    "connect.source_password_expression": "sources.ajera.connect_password",
    **{f"dps.{key}": f"sources.dps.{key}" for key in _DPS_SOURCE},
    "dps.source_host": "sources.dps.connect_host",
    "dps.source_port": "sources.dps.connect_port",
    "dps.source_password_expression": "sources.dps.connect_password",
    **{f"dps.{key}": f"routes.dps.{key}" for key in _DPS_ROUTE},
    "dps.first_link": "routes.dps.initial_match_policy",
    "dps.look_window_seconds": "routes.dps.recheck_window_seconds",
    "registry.unknown_seconds": "registry.unknown_schema_timeout_seconds",
    "run.poll_seconds": "run.poll_timeout_seconds",
    "run.retry_first_seconds": "run.retry_initial_seconds",
    "run.retry_most_seconds": "run.retry_max_seconds",
    "run.waiting_retry_seconds": "run.parked_retry_seconds",
    "run.dead_letters_in_a_row": "run.max_consecutive_dead_letters",
    "run.dead_letter_share": "run.max_dead_letter_ratio",
}


def with_new_names(
    raw: Mapping[str, Any],
) -> tuple[dict[str, Any], list[str]]:
    """The tables of a file with old names replaced, and a line for each that was."""
    found: dict[str, Any] = {}
    lines = []
    for section, value in raw.items():
        if not isinstance(value, dict):
            found[section] = value
            continue
        for key, inner in value.items():
            old = f"{section}.{key}"
            new = RENAMED.get(old)
            if new is not None:
                lines.append(f"{old}: is called {new} now.")
            _put(found, (new or old).split("."), inner)
        if not value:
            found.setdefault(section, {})
    return found, lines


def _put(tables: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        inner = tables.setdefault(part, {})
        if not isinstance(inner, dict):
            return
        tables = inner
    tables.setdefault(path[-1], value)
