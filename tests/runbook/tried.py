"""Which pages a test has tried: it brings the fault about, types what the page says, and sees that
it is over. A code that no test tries has its reason here, so that a new one is not untried by
accident.
"""

from __future__ import annotations

LEFT_UNDONE = "tests/runbook/test_left_undone.py"
EXCHANGE = "tests/runbook/test_exchange.py"
SETTINGS = "tests/runbook/test_settings.py"
DATABASES = "tests/runbook/test_databases.py"
REFUSALS = "tests/runbook/test_refusals.py"
CAPTURE = "tests/incidents/test_capture.py"
CREDENTIALS = "tests/incidents/test_credentials.py"
UNDECODABLE = "tests/incidents/test_undecodable.py"
RESTORED = "tests/incidents/test_restored.py"
ON_STACK = "tests/incidents/test_pages.py"
MESSAGES = "tests/incidents/test_pages_messages.py"
SNAPSHOT = "tests/incidents/test_pages_snapshot.py"
TARGET = "tests/incidents/test_pages_target.py"

# Code: the module in which it is tried.
TRIED = {
    "connect.failed": CAPTURE,
    "column.unknown": SNAPSHOT,
    "connect.snapshot_needed": SNAPSHOT,
    "decode.malformed": MESSAGES,
    "decode.metadata": SNAPSHOT,
    "decode.truncate": SNAPSHOT,
    "exchange.restored": "tests/incidents/test_pages_restored.py",
    "kafka.circuit_open": MESSAGES,
    "kafka.dead_letter": MESSAGES,
    "kafka.partitions": SNAPSHOT,
    "kafka.rights": "tests/incidents/test_pages_rights.py",
    "park.limit": TARGET,
    "registry.lost": MESSAGES,
    "source.rewound": SNAPSHOT,
    "target.busy": TARGET,
    "target.concurrent": TARGET,
    "target.refused": TARGET,
    "target.taken": TARGET,
    "decode.contract": UNDECODABLE,
    "registry.unknown": UNDECODABLE,
    "environment.credentials": CREDENTIALS,
    "environment.database": CREDENTIALS,
    "environment.host": CREDENTIALS,
    "environment.unreachable": CAPTURE,
    "kafka.offset_lost": CAPTURE,
    "kafka.renewed": CAPTURE,
    "connect.backfill": ON_STACK,
    "registry.unavailable": ON_STACK,
    "kafka.topic": ON_STACK,
    "row.missing": ON_STACK,
    "mapping.value": ON_STACK,
    "replay.refused": ON_STACK,
    "schema.rights": CREDENTIALS,
    "target.rejected": ON_STACK,
    "target.restored": RESTORED,
    "cli.usage": SETTINGS,
    "config.choice_missing": DATABASES,
    "config.edition": SETTINGS,
    "config.invalid": SETTINGS,
    "config.profile": SETTINGS,
    "config.time_unreadable": DATABASES,
    "config.version": DATABASES,
    "environment.connections": REFUSALS,
    "environment.driver": REFUSALS,
    "environment.driver_unsupported": "tests/runbook/test_drivers.py",
    "environment.tls": REFUSALS,
    "ajera.key_table": EXCHANGE,
    "exchange.ambiguous_match": EXCHANGE,
    "exchange.client_and_vendor": EXCHANGE,
    "exchange.contacts_full": EXCHANGE,
    "exchange.counterpart_deleted": LEFT_UNDONE,
    "exchange.decided": LEFT_UNDONE,
    "exchange.filled_already": EXCHANGE,
    "exchange.first_link": EXCHANGE,
    "exchange.key_taken": EXCHANGE,
    "exchange.namesake_not_flagged": EXCHANGE,
    "exchange.no_employee_number": EXCHANGE,
    "exchange.no_project_number": EXCHANGE,
    "exchange.not_a_client": EXCHANGE,
    "exchange.number_too_long": EXCHANGE,
    "exchange.reference_missing": EXCHANGE,
    "exchange.required_missing": EXCHANGE,
    "exchange.template_missing": EXCHANGE,
    "exchange.type_missing": EXCHANGE,
    "exchange.update_origin_differs": EXCHANGE,
    "schema.missing": REFUSALS,
    "schema.outdated": DATABASES,
    "schema.target": DATABASES,
}
UNTRIED: dict[str, str] = {}
