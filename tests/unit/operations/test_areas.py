"""The names that `check --only` offers."""

from __future__ import annotations

from pipeline.domain.routes import ROUTES
from pipeline.operations.areas import areas
from pipeline.operations.check import looks_of


def test_every_area_that_is_offered_is_looked_at_in_that_order() -> None:
    """And no other."""
    assert list(looks_of(ROUTES)) == areas(ROUTES)
