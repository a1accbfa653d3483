"""No page is untried by accident."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import meanings
from tests.runbook.tried import TRIED, UNTRIED

ROOT = Path(__file__).parents[2]


def test_every_code_is_tried_or_has_a_reason_why_not() -> None:
    """A new code is in one of the two tables, and in one only."""
    assert set(TRIED) | set(UNTRIED) == set(meanings())
    assert set(TRIED) & set(UNTRIED) == set()
    assert all(reason for reason in UNTRIED.values())


@pytest.mark.parametrize("code", TRIED)
def test_the_module_that_tries_a_page_names_its_code(code: str) -> None:
    """And types what it says."""
    text = (ROOT / TRIED[code]).read_text(encoding="utf-8")
    assert f'"{code}"' in text
    assert ".heal(" in text or ".typing(" in text
