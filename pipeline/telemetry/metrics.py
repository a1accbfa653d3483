"""Metrics: one table of names, each with its kind, labels, meaning,
and what an operator does about it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from pipeline.errors import ParkedTooMany, PipelineError, Remedy
from pipeline.model.held import HeldPartitions
from pipeline.model.outcome import RowCounts
from pipeline.telemetry.health import Health
from pipeline.telemetry.outages import Outages

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

PARKING = "parking"  # where health says so


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


class PrometheusTelemetry:
    """Counts in a registry of its own, logs what a person should know,
    and keeps the health up to date.
    """

    def __init__(
        self,
        health: Health,
        clock: Callable[[], float] = time.time,
        outages: Outages | None = None,
    ) -> None:
        self.registry = CollectorRegistry()
        self.held = HeldPartitions()
        self._health = health
        self._clock = clock
        self._parks_fast = False
        self._log = structlog.stdlib.get_logger("ajera_cdc")
        self._metrics = {
            metric.name: self._create(metric) for metric in METRICS if not metric.is_asked
        }
        self._outages = outages or Outages()

    def _create(self, metric: Metric) -> Counter | Gauge | Histogram:
        match metric.kind:
            case "counter":
                return Counter(
                    metric.name,
                    metric.meaning,
                    metric.labels,
                    registry=self.registry,
                )
            case "gauge":
                return Gauge(
                    metric.name,
                    metric.meaning,
                    metric.labels,
                    registry=self.registry,
                )
            case "histogram":
                return Histogram(
                    metric.name,
                    metric.meaning,
                    metric.labels,
                    registry=self.registry,
                    buckets=DELAY_BUCKETS,
                )

    def _add(self, name: Name, amount: float, *labels: str) -> None:
        metric = self._metrics[name]
        chosen = metric.labels(*labels) if labels else metric
        if isinstance(chosen, Histogram):
            chosen.observe(amount)
        else:
            chosen.inc(amount)

    def _set(self, name: Name, value: float, *labels: str) -> None:
        metric = self._metrics[name]
        chosen = metric.labels(*labels) if labels else metric
        if isinstance(chosen, Gauge):
            chosen.set(value)

    # -- what happens ------------------------------------------------------------------------------

    def assigned(self, partitions: int) -> None:
        self._set("pipeline_assigned_partitions", partitions)
        self._log.info("partitions assigned", partitions=partitions)

    def events_read(self, topic: str, count: int) -> None:
        self._add("pipeline_events_read_total", count, topic)
        self._set("pipeline_last_batch_timestamp_seconds", self._clock())

    def event_ended(self, topic: str, outcome: str, reason: str, count: int) -> None:
        self._add("pipeline_events_total", count, topic, outcome, reason)

    def rows(self, table: str, counts: RowCounts) -> None:
        for result, count in (
            ("created", counts.created),
            ("changed", counts.changed),
            ("unchanged", counts.unchanged),
        ):
            self._add("pipeline_target_rows_total", count, table, result)

    def delay(self, table: str, seconds: float) -> None:
        self._add("pipeline_delay_seconds", seconds, table)

    def step(self, name: str, seconds: float) -> None:
        self._add("pipeline_step_seconds", seconds, name)

    def hop(self, name: str, seconds: float) -> None:
        self._add("pipeline_hop_seconds", seconds, name)

    def values_fitted(self, table: str, column: str, how: str, count: int) -> None:
        self._add("pipeline_values_fitted_total", count, table, column, how)

    def put_back(self, table: str, columns: Sequence[str]) -> None:
        """A row that a person had changed in columns that the source owns was written over."""
        for column in columns:
            self._add("pipeline_put_back_total", 1, table, column)
        self._log.info("put back, owned by the source", table=table, columns=", ".join(columns))

    def retried(self, error: PipelineError) -> None:
        self._add("pipeline_retries_total", 1, error.code)
        self._set("pipeline_degraded_state", 1)
        self._health.degrade(error.code, error.sentence)
        if self._outages.failed(error.code):
            self._log.warning(
                "retrying",
                code=error.code,
                error=str(error),
                hint=error.hint,
                tries=self._outages.tries,
                seconds=round(self._outages.seconds, 1),
            )

    def recovered(self) -> None:
        self._set("pipeline_degraded_state", 0)
        self._health.recover()
        self._log.info(
            "recovered",
            tries=self._outages.tries,
            seconds=round(self._outages.seconds, 1),
        )
        self._outages.over()

    def parked(self, count: int) -> None:
        self._set("pipeline_parked_rows", count)

    def parking(self, rise: int, most: int) -> None:
        """So many more rows wait than a minute ago; reported once when that is too many."""
        if rise > most and not self._parks_fast:
            sentence = f"{rise} more rows wait than a minute ago; {most} are expected at most"
            error = ParkedTooMany(sentence)
            self._health.wait(PARKING, error.sentence)
            self._log.warning("many rows parked", code=error.code, rows=rise, hint=error.hint)
        elif rise <= most and self._parks_fast:
            self._health.resume(PARKING)
            self._log.info("no longer many rows parked", rows=rise)
        self._parks_fast = rise > most

    def dead_lettered(self, error: PipelineError) -> None:
        self._add("pipeline_dead_letters_total", 1, error.code)
        self._log.error(
            "message dead-lettered",
            code=error.code,
            error=str(error),
            hint=error.hint,
        )

    def second_writer(self, todo: str) -> None:
        self._add("pipeline_second_writer_total", 1)
        self._log.error("somebody else copies between the two systems", hint=todo)

    def conflict(self, kind: str, rule: str, winner: str) -> None:
        self._add("pipeline_conflicts_total", 1, kind, rule, winner)

    def remapped(self, recomputed: Sequence[str], left: Sequence[str]) -> None:
        if recomputed:
            self._log.info("maps changed: their rows are recomputed", maps=", ".join(recomputed))
        if left:
            self._log.warning(
                "a newer release applied other maps, which stay",
                maps=", ".join(left),
                hint="after a rollback: ajera-cdc mappings recompute",
            )

    def halted(self, topic: str, partition: int, error: PipelineError) -> None:
        self._add("pipeline_halted_partitions", 1, topic, error.code)
        report = self._health.wait if error.remedy is Remedy.RETRY else self._health.halt
        report(f"{topic}[{partition}]", error.sentence)
        self._log.error(
            "partition halted",
            topic=topic,
            partition=partition,
            code=error.code,
            error=str(error),
            hint=error.hint,
        )

    def resumed(self, topic: str, partition: int, error: PipelineError) -> None:
        """What was halted continues here, or in another consumer."""
        self._add("pipeline_halted_partitions", -1, topic, error.code)
        self._health.resume(f"{topic}[{partition}]")
        self._log.info("partition resumed", topic=topic, partition=partition, code=error.code)

    def halted_place(self, place: str, error: PipelineError) -> None:
        """A table of the target, or everything that is read, is halted."""
        self._add("pipeline_halted_place_state", 1, place, error.code)
        self._health.halt(place, error.sentence)
        self._log.error("halted", place=place, code=error.code, error=str(error), hint=error.hint)

    def resumed_place(self, place: str, error: PipelineError) -> None:
        self._add("pipeline_halted_place_state", -1, place, error.code)
        self._health.resume(place)
        self._log.info("resumed", place=place, code=error.code)

    def rewound(self, error: PipelineError) -> None:
        """The target was restored: what it lacks is read again."""
        self._health.wait("rewound", error.sentence)
        self._log.warning("rewound", code=error.code, error=str(error), hint=error.hint)

    def caught_up(self) -> None:
        """Everything was read again."""
        self._health.resume("rewound")
        self._log.info("caught up after a rewind")

    # -- capture -----------------------------------------------------------------------------------

    def connector_runs(self, connector: str) -> None:
        self._set("pipeline_connector_running_state", 1, connector)
        self._health.resume(f"connector {connector}")

    def connector_held(self, connector: str, sentence: str) -> None:
        """It does not run, because it failed or somebody paused or stopped it."""
        self._set("pipeline_connector_running_state", 0, connector)
        self._health.wait(f"connector {connector}", sentence)
        self._log.warning("connector does not run", connector=connector, error=sentence)

    def connector_unknown(self, connector: str, error: PipelineError) -> None:
        self._set("pipeline_connector_running_state", math.nan, connector)
        self._health.wait(f"connector {connector}", error.sentence)
        self._log.warning(
            "connector cannot be watched", connector=connector, code=error.code, error=str(error)
        )

    def connector_restarted(self, connector: str, attempt: int) -> None:
        self._add("pipeline_connector_restarts_total", 1, connector)
        self._log.warning("connector restarted", connector=connector, attempt=attempt)

    def loaded(self, table: str) -> None:
        self._log.info("table loaded", table=table)
