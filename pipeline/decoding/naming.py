"""How the connector adjusts names that Avro or Kafka do not allow
(`field.name.adjustment.mode=avro`).
"""

from __future__ import annotations

import re
from typing import Final

HEARTBEAT_PREFIX: Final = "__debezium-heartbeat."  # of the topic, before the topics' own prefix
_NOT_IN_FIELDS: Final = re.compile(r"[^A-Za-z0-9_]")
_NOT_IN_TOPICS: Final = re.compile(r"[^A-Za-z0-9._-]")


def field_name(column: str) -> str:
    """The Avro field of a column, and its name in the message's key."""
    name = _NOT_IN_FIELDS.sub("_", column)
    return f"_{name}" if name[:1].isdigit() else name


def topic_name(prefix: str, table: str) -> str:
    """The topic of a table."""
    return f"{prefix}.{_NOT_IN_TOPICS.sub('_', table)}"
