"""What a batch made is gone when it is done, and does not wait for the garbage collector, which a
consumer lets look seldom.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.mapping.table import RowMissing
from tests.support.engine import Consumer, ready
from tests.support.events import event
from tests.twins.target import MemoryTarget


@pytest.fixture
def _uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_uncollected")
def test_rows_that_wait_for_others_leave_nothing_behind() -> None:
    """Six columns of a project wait for its client: of 10,000 projects it was 200 MB."""
    consumer = Consumer(ready(MemoryTarget(AJERA_TO_PIM)), [])
    consumer.feed([event("AxInvoiceGroup", 1, at=1, igProject=1, igClient=1)])
    consumer.feed([event("AxProject", 1, at=2, prjStatus=1)])
    assert consumer.telemetry.ended
    assert [one for one in gc.get_objects() if isinstance(one, RowMissing)] == []
