"""Metrics: one table of names, each with its kind, labels, meaning,
and what an operator does about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Name = Literal[
    "pipeline_events_read_total",
    "pipeline_events_total",
    "pipeline_target_rows_total",
    "pipeline_delay_seconds",
    "pipeline_delay_oldest_seconds",
    "pipeline_hop_seconds",
    "pipeline_source_seen_seconds",
    "pipeline_retention_left_seconds",
    "pipeline_figures_known_state",
    "pipeline_group_state",
    "pipeline_step_seconds",
    "pipeline_values_fitted_total",
    "pipeline_put_back_total",
    "pipeline_retries_total",
    "pipeline_degraded_state",
    "pipeline_dead_letters_total",
    "pipeline_parked_rows",
    "pipeline_conflicts_total",
    "pipeline_second_writer_total",
    "pipeline_halted_partitions",
    "pipeline_halted_place_state",
    "pipeline_rewinds_total",
    "pipeline_assigned_partitions",
    "pipeline_last_batch_timestamp_seconds",
    "pipeline_connector_running_state",
    "pipeline_connector_restarts_total",
]
DELAY_BUCKETS = (
    *(
        0.01,
        0.02,
        0.03,
        0.05,
        0.075,
        0.1,
        0.15,
        0.2,
        0.25,
        0.3,
        0.4,
        0.5,
        0.6,
        0.75,
        1,
        1.25,
        1.5,
        2,
        2.5,
        3,
        4,
        5,
    ),
    *(7.5, 10, 15, 30, 60, 120, 300),
)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; `operator` says what a person does about it."""

    name: Name
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str
    operator: str
    is_asked: bool = False  # computed when it is scraped, from what Kafka says then


METRICS: tuple[Metric, ...] = (
    Metric(
        "pipeline_events_read_total",
        "counter",
        ("topic",),
        "Messages read and brought to an end.",
        "Nothing; flat while lag grows means the consumer is stuck.",
    ),
    Metric(
        "pipeline_events_total",
        "counter",
        ("topic", "outcome", "reason"),
        (
            "Events by their one outcome: written, skipped, parked, dead_lettered. Their sum is "
            "the events read."
        ),
        "Look at parked rows with `ajera-cdc status`, at dead letters in their topic.",
    ),
    Metric(
        "pipeline_target_rows_total",
        "counter",
        ("table", "result"),
        "Target rows: created, changed, unchanged.",
        "Nothing; one event may touch three rows or 1,500.",
    ),
    Metric(
        "pipeline_delay_seconds",
        "histogram",
        ("table",),
        "Source commit to target commit of each streamed event.",
        "Alert when the p99 stays over the objective.",
    ),
    Metric(
        "pipeline_delay_oldest_seconds",
        "gauge",
        ("topic", "partition"),
        (
            "Age of the oldest change of a partition of this consumer that was not applied, from "
            "its commit in the source; 0 when none waits, no sample when that is unknown."
        ),
        (
            "Alert when it is over the objective and does not fall, and when it is absent: "
            "`ajera-cdc status` says why."
        ),
        is_asked=True,
    ),
    Metric(
        "pipeline_hop_seconds",
        "histogram",
        ("hop",),
        (
            "Where the time goes, of one change for each topic and batch: captured (source commit "
            "to Debezium), broker (to Kafka), polled (to this consumer), applied (to the target's "
            "commit)."
        ),
        (
            "captured grows: look at the source's log and the connector; broker: at Connect; "
            "polled: more consumers; applied: the target, or the batch."
        ),
    ),
    Metric(
        "pipeline_source_seen_seconds",
        "gauge",
        ("source",),
        "Since the newest heartbeat or change of a source came into Kafka; absent if never.",
        "Alert over three heartbeats: nothing is captured; `ajera-cdc connectors status`.",
        is_asked=True,
    ),
    Metric(
        "pipeline_retention_left_seconds",
        "gauge",
        ("topic", "partition"),
        "Until Kafka may delete the oldest message that waits; absent if none waits.",
        "Alert under twice your longest outage; raise the topic's retention.ms before it is 0.",
        is_asked=True,
    ),
    Metric(
        "pipeline_figures_known_state",
        "gauge",
        (),
        "1 if Kafka answered this scrape: if 0, the gauges of delay and sources are absent.",
        "Alert when it stays 0; `ajera-cdc status` names what is unavailable.",
        is_asked=True,
    ),
    Metric(
        "pipeline_group_state",
        "gauge",
        ("group", "state"),
        "1 for the state that the group is in as far as this consumer's partitions go, 0 for the "
        "others: ok, warn (late, and moving), stalled (late, and standing still), unknown (Kafka "
        "does not answer, or a topic is gone or another one). Absent while it has no partition. "
        "stopped and rewound mean that no consumer runs, so none serves this: it is absent then.",
        "Alert when stalled or unknown stays 1, and when a group's is absent: `ajera-cdc status` "
        "tells stopped from rewound.",
        is_asked=True,
    ),
    Metric(
        "pipeline_step_seconds",
        "histogram",
        ("step",),
        "Time of a batch in each step: decode, stage, recompute, exchange, commit.",
        "Tells what to look at when the delay grows.",
    ),
    Metric(
        "pipeline_values_fitted_total",
        "counter",
        ("table", "column", "how"),
        "Values changed to fit the target's column: cut, or replaced.",
        "Widen the target's column, or state another policy in the site profile, if it matters.",
    ),
    Metric(
        "pipeline_put_back_total",
        "counter",
        ("table", "column"),
        "Values that a person changed in the target, in a column that the source owns, and that"
        " were written over; under an id's column, rows that a person deleted and that were made"
        " again.",
        "Tell people where these values come from: the log names table and columns of each row.",
    ),
    Metric(
        "pipeline_retries_total",
        "counter",
        ("code",),
        "Tries that failed with something transient.",
        "Look at the service that the code names.",
    ),
    Metric(
        "pipeline_degraded_state",
        "gauge",
        (),
        "1 while the consumer waits for something transient.",
        "Alert when it stays 1.",
    ),
    Metric(
        "pipeline_dead_letters_total",
        "counter",
        ("code",),
        "Messages dead-lettered because they cannot be processed.",
        "Alert on any increase; read the dead-letter topic.",
    ),
    Metric(
        "pipeline_parked_rows",
        "gauge",
        (),
        "Rows that wait for another row or for a person, over all consumers.",
        "See `ajera-cdc status` for what they wait for; alert when it does not fall.",
    ),
    Metric(
        "pipeline_conflicts_total",
        "counter",
        ("kind", "rule", "winner"),
        "Entries of the conflict log of the exchange with DPS.",
        (
            "Look at them with `ajera-cdc conflicts list`; many that no person typed may be a "
            "second writer's."
        ),
    ),
    Metric(
        "pipeline_second_writer_total",
        "counter",
        (),
        (
            "Times that another program was seen to copy between Ajera and DPS, such as Deltek's "
            "own scheduled sync."
        ),
        "Alert on any increase: switch the other one off; `ajera-cdc check` says where.",
    ),
    Metric(
        "pipeline_halted_partitions",
        "gauge",
        ("topic", "code"),
        "Partitions that cannot continue without a person.",
        "Alert when over 0; the log names the cause and what to do.",
    ),
    Metric(
        "pipeline_halted_place_state",
        "gauge",
        ("place", "code"),
        "1 while a table refuses what is written to it; `parked rows`: too many wait.",
        "Alert when over 0; `ajera-cdc status` names the cause and what to do.",
    ),
    Metric(
        "pipeline_rewinds_total",
        "counter",
        ("code",),
        "Times that something is read again from an earlier offset: the target was restored from a "
        "copy, or a topic was deleted and made again.",
        "Alert on any increase: what happened is in the log, and nothing has to be done.",
    ),
    Metric(
        "pipeline_assigned_partitions",
        "gauge",
        (),
        "Partitions that this consumer has.",
        "0 on every consumer means the group has lost its topics.",
    ),
    Metric(
        "pipeline_last_batch_timestamp_seconds",
        "gauge",
        (),
        "When the last batch ended, in seconds since 1970 UTC.",
        "Alert when it is old while lag grows.",
    ),
    Metric(
        "pipeline_connector_running_state",
        "gauge",
        ("connector",),
        "1 while a connector and its tasks run, 0 while they do not, NaN while that is unknown.",
        "Alert when it stays other than 1; `ajera-cdc connectors status` names the cause.",
    ),
    Metric(
        "pipeline_connector_restarts_total",
        "counter",
        ("connector",),
        "Restarts of a failed connector or task that this consumer asked Connect for.",
        "Nothing for a few; when it keeps growing, look at the cause.",
    ),
)
