"""What is reported, in metrics for Prometheus, in the log and in health."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from pipeline.errors import ParkedTooMany, PipelineError, Remedy
from pipeline.model.held import HeldPartitions
from pipeline.model.load import LoadProgress
from pipeline.model.outcome import RowCounts
from pipeline.telemetry.health import Health
from pipeline.telemetry.histogram import Histogram
from pipeline.telemetry.metrics import DELAY_BUCKETS, METRICS, Metric, Name
from pipeline.telemetry.outages import Outages

PARKING = "parking"  # where health says so


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
        self._assigned: dict[int, int] = {}  # by member
        self._log = structlog.stdlib.get_logger("ajera_cdc")
        own = [metric for metric in METRICS if not metric.is_asked]
        self._metrics = {one.name: self._create(one) for one in own if one.kind != "histogram"}
        self._histograms = {
            one.name: Histogram(one.name, one.meaning, one.labels, DELAY_BUCKETS, self.registry)
            for one in own
            if one.kind == "histogram"
        }
        # by labels: finding one takes longer than counting
        self._chosen: dict[tuple[str, tuple[str, ...]], Counter | Gauge] = {}
        self._outages = outages or Outages()

    def _create(self, metric: Metric) -> Counter | Gauge:
        kind = Counter if metric.kind == "counter" else Gauge
        return kind(metric.name, metric.meaning, metric.labels, registry=self.registry)

    def _add(self, name: Name, amount: float, *labels: str) -> None:
        chosen = self._chosen.get((name, labels))
        if chosen is None:
            metric = self._metrics[name]
            chosen = self._chosen[name, labels] = metric.labels(*labels) if labels else metric
        chosen.inc(amount)

    def _set(self, name: Name, value: float, *labels: str) -> None:
        metric = self._metrics[name]
        chosen = metric.labels(*labels) if labels else metric
        if isinstance(chosen, Gauge):
            chosen.set(value)

    # -- what happens ------------------------------------------------------------------------------

    def assigned(self, partitions: int, member: int = 1) -> None:
        """This member of the process has so many partitions."""
        self._assigned[member] = partitions
        self._set("pipeline_assigned_partitions", sum([*self._assigned.values()]))
        self._log.info("partitions assigned", partitions=partitions, member=member)

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

    def delay(self, table: str, seconds: float, count: int) -> None:
        self._histograms["pipeline_delay_seconds"].add(seconds, count, table)

    def step(self, name: str, seconds: float) -> None:
        self._histograms["pipeline_step_seconds"].add(seconds, 1, name)

    def hop(self, name: str, seconds: float) -> None:
        self._histograms["pipeline_hop_seconds"].add(seconds, 1, name)

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
        self._add("pipeline_rewinds_total", 1, error.code)
        self._health.wait("rewound", error.sentence)
        self._log.warning("rewound", code=error.code, error=str(error), hint=error.hint)

    def caught_up(self) -> None:
        """Everything was read again."""
        self._health.resume("rewound")
        self._log.info("caught up after a rewind")

    def renewed(self, error: PipelineError) -> None:
        """A topic was deleted and made again: it is read from its beginning."""
        self._add("pipeline_rewinds_total", 1, error.code)
        self._log.warning("topic renewed", code=error.code, error=str(error), hint=error.hint)

    def first_load(self, progress: LoadProgress) -> None:
        """How far it is, and how long the rest takes at this rate."""
        left, rate = progress.seconds_left, progress.a_second
        self._log.info(
            "first load",
            read=f"{progress.read:,}",
            there=f"{progress.there:,}",
            percent=progress.percent,
            a_second="unknown" if rate is None else f"{rate:,.0f}",
            minutes_left="unknown" if left is None else f"{left / 60:,.0f}",
            tables=", ".join(progress.tables),
        )

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
