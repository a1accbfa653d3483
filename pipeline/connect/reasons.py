"""Why each setting of the connector templates is as it is;
`docs/reference/connectors.md` shows them.
"""

from __future__ import annotations

from collections.abc import Mapping

# Setting, or prefix of settings -> reason. The longest that matches counts.
REASONS: Mapping[str, str] = {
    "connector.class": "Debezium's connector for this database.",
    "tasks.max": "One task reads one log.",
    "topic.prefix": "Topics become <prefix>.<Table> by the route below.",
    "database.": (
        "Where and as whom Connect reads; the password is an expression that the worker resolves."
    ),
    "driver.": "Of the encrypted connection, as the address says.",
    "plugin.name": "PostgreSQL's own decoding, present everywhere.",
    "slot.name": (
        "The replication slot; `connectors remove` drops it, for an idle one makes the source "
        "keep its log for ever."
    ),
    "slot.drop.on.stop": "A restart must find its slot.",
    "publication.": "Only the tables we read.",
    "table.include.list": "The five tables, by this site's names.",
    "snapshot.mode": "Every row once, before the changes.",
    "snapshot.isolation.mode": (
        "The default locks Ajera's users out of the tables; this one reads a version."
    ),
    "data.query.mode": (
        "In `direct`, the time of an event is when its transaction began, not when it committed."
    ),
    "include.schema.changes": "A writer schema shows them already.",
    "schema.history.internal.": (
        "SQL Server's connector keeps the tables' history in a topic of its own."
    ),
    "skipped.operations": "Nothing is left out silently.",
    "tombstones.on.delete": "A null message follows each delete.",
    "decimal.handling.mode": "Exact decimals.",
    "time.precision.mode": "Times as exact as the database has them.",
    "schema.name.adjustment.mode": "Names that Avro allows.",
    "field.name.adjustment.mode": (
        "Names that Avro allows; the decoder adjusts the site's names in the same way."
    ),
    "extended.headers.enabled": "Not used.",
    "heartbeat.interval.ms": "A quiet source still reports that it is alive, and moves its slot.",
    "heartbeat.action.query": (
        "A row of ours that comes back through the log: it says that the log is read to its end, "
        "which the heartbeat itself does not (SQL Server's capture job may stand still)."
    ),
    "max.batch.size": "Throughput.",
    "max.queue.size": "Bounds the connector's memory.",
    "poll.interval.ms": (
        "Delay: how long the connector waits to fill a batch before it hands over what it has. On "
        "SQL Server it also asks the database that often."
    ),
    "signal.": (
        "A backfill is asked for by a row of this table, which is read from the log in its order, "
        "also after an outage. Empty: no backfill."
    ),
    "incremental.snapshot.chunk.size": "Rows a backfill reads at once, and again after an outage.",
    "incremental.snapshot.watermarking.strategy": (
        "The rows by which a chunk is fitted into the stream are deleted again."
    ),
    "notification.": "How far a backfill is.",
    "transforms": "Leave out the signal table, flatten, route, stamp: in this order.",
    "transforms.signals.": "The rows of the signal table are for the connector alone.",
    "transforms.unwrap.": "Flat events, with what orders them added as fields.",
    "transforms.route.": "One topic a table, the same from either database.",
    "transforms.epoch.": (
        "Which capture of the source this is (a new snapshot raises it), stamped into every "
        "message and heartbeat."
    ),
    "predicates": "Which messages are stamped, and which are left out.",
    "key.converter": (
        "JSON without a schema: the partition hangs on the key's bytes, and an Avro key's bytes "
        "carry a schema id."
    ),
    "header.converter": "Readable, and without a schema.",
    "value.converter": "Avro in the Confluent wire format, schemas registered by the connector.",
    "topic.creation.default.": (
        "Topics are made by `connectors apply`; this is for those it does not know. "
        "Never compacted: compaction leaves only the tombstone of a delete."
    ),
    "errors.tolerance": "A message that the connector cannot make stops it: nothing is skipped.",
    "errors.log.": "The cause, without the row.",
    "producer.override.": "Acknowledged by all replicas, in order, once.",
}


def reason(setting: str) -> str:
    """Why this setting is as it is. Raises KeyError for one without a reason."""
    fitting = [prefix for prefix in REASONS if setting.startswith(prefix)]
    if not fitting:
        raise KeyError(setting)
    return REASONS[max(fitting, key=len)]
