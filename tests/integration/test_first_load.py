"""A first load over PostgreSQL, whose processes are killed."""

from __future__ import annotations

import pytest

from deploy.local.stack import Stack
from tests.bench.books import BATCH, DAY_PROJECTS
from tests.bench.first_load import first_load

pytestmark = pytest.mark.postgres


def test_a_first_load_whose_processes_are_killed_continues_where_it_was(postgres: Stack) -> None:
    """In the middle of the snapshot the batch in hand is read again and no other; in the middle of
    the recompute what was not written is left marked. Phases are never marked.
    """
    found = first_load(postgres, 3 * BATCH)
    assert (found.again, found.marked, found.wrong) == (BATCH, DAY_PROJECTS, 0)
