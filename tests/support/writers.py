"""Who makes writes in Ajera in tests: something may happen before each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pipeline.conflicts.decision import WriteOutcome
from pipeline.engine.consumer.ports import Attempt, Clock, Telemetry
from pipeline.engine.exchange.ajera_writer import AjeraWriter, WritesAjera
from pipeline.engine.exchange.ports import Pairs
from pipeline.engine.exchange.reconciler import Reconciler
from pipeline.engine.exchange.unit_of_work import ExchangeConfig, PlannedWrite
from pipeline.errors import PipelineError

Before = Callable[[Sequence[PlannedWrite], int], None]


def nothing(_: Sequence[PlannedWrite], __: int) -> None:
    """What happens before a write where nothing is said."""


class InterruptibleWriter:
    """The real one. `before` gets its writes and their epoch, and may raise."""

    def __init__(self, writer: WritesAjera) -> None:
        self._writer = writer
        self.before: Before = nothing

    @property
    def refused(self) -> Mapping[str, PipelineError]:
        """As the real one has it."""
        return self._writer.refused

    def make(
        self, planned: Sequence[PlannedWrite], epoch: int, attempt: Attempt
    ) -> tuple[dict[str, WriteOutcome], dict[str, PipelineError]]:
        self.before(planned, epoch)
        return self._writer.make(planned, epoch, attempt)


def reconciler_with(
    setup: ExchangeConfig, pairs: Pairs, telemetry: Telemetry, clock: Clock
) -> Reconciler:
    """As the program makes one."""
    writer = AjeraWriter(pairs, telemetry)
    return Reconciler(setup=setup, pairs=pairs, writer=writer, telemetry=telemetry, clock=clock)
