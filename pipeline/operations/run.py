"""Running one consumer: telemetry, the loops of its members, and an orderly end."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import structlog

from pipeline.config.settings import Settings
from pipeline.engine.consumer.retry import Retrier, Stopped
from pipeline.errors import PipelineError
from pipeline.operations.gauges import collector
from pipeline.operations.presence import present
from pipeline.operations.watch import watching
from pipeline.telemetry import log
from pipeline.telemetry.health import Health
from pipeline.telemetry.http import TelemetryServer
from pipeline.telemetry.prometheus import PrometheusTelemetry
from pipeline.wiring.clients import SystemClock
from pipeline.wiring.route import RouteHandle

# A batch makes many objects that are let go together and hardly a cycle: by default the collector
# would walk all of them every 700 allocations, which takes a quarter of a consumer's time.
COLLECTED_AFTER = (100_000, 50, 100)
# How long a member that computes keeps an answer of the database to another one waiting, of which a
# batch has dozens; Python's own is ten times as long.
SWITCH_SECONDS = 0.0005


def run(settings: Settings, stop: Callable[[], bool], route: RouteHandle) -> None:
    """Run until `stop` says so, then drain. What is unavailable at the start is waited for,
    as is what becomes unavailable later.

    Raises the error that ended the consumer, which is logged first.
    """
    log.configure(settings.log.level, settings.log.format)
    logger = structlog.stdlib.get_logger("ajera_cdc")
    _set_interpreter()
    health = Health()
    telemetry = PrometheusTelemetry(health)
    outer = ExitStack()
    server = outer.enter_context(_served(settings, route, telemetry, health))

    def member(number: int, ending: Callable[[], bool]) -> None:
        patience = _patience(settings, telemetry, ending)
        with ExitStack() as resources, suppress(Stopped):
            loop = patience.attempt(
                lambda: resources.enter_context(
                    route.consumer(settings, telemetry, health, ending, number)
                )
            )
            logger.info("started", route=route.name, group=route.group, telemetry=server.address)
            loop.run()

    try:
        with present(route, health, server.address), watching(settings, route, telemetry):
            run_members(settings.run.members, member, stop)
        logger.info("stopped", route=route.name, group=route.group)
    except PipelineError as error:
        health.halt("consumer", error.sentence)
        logger.error(  # noqa: TRY400
            "ended by an error",
            code=error.code,
            error=str(error),
            hint=error.hint,
        )
        raise
    finally:
        outer.close()


def _set_interpreter() -> None:
    gc.set_threshold(*COLLECTED_AFTER)
    sys.setswitchinterval(SWITCH_SECONDS)


def run_members(
    members: int, run: Callable[[int, Callable[[], bool]], None], stop: Callable[[], bool]
) -> None:
    """Run so many, each given its number, from 1, and what tells it to end: `stop`, or that another
    one was ended by an error, which is raised when all have ended.
    """
    if members == 1:
        run(1, stop)
        return
    failed = threading.Event()

    def one(number: int) -> None:
        try:
            run(number, lambda: stop() or failed.is_set())
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(members, thread_name_prefix="member") as pool:
        running = [pool.submit(one, number) for number in range(1, members + 1)]
    for each in running:
        each.result()


@contextmanager
def _served(
    settings: Settings, route: RouteHandle, telemetry: PrometheusTelemetry, health: Health
) -> Iterator[TelemetryServer]:
    own = settings.run
    with collector(settings, route, telemetry.held) as figures:
        telemetry.registry.register(figures)
        server = TelemetryServer(
            own.metrics_host, own.metrics_port, telemetry.registry, health, figures.health
        )
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _patience(
    settings: Settings,
    telemetry: PrometheusTelemetry,
    stop: Callable[[], bool],
) -> Retrier:
    return Retrier(
        first_seconds=settings.run.retry_initial_seconds,
        most_seconds=settings.run.retry_max_seconds,
        telemetry=telemetry,
        clock=SystemClock(),
        stop=stop,
        rest=time.sleep,
    )
