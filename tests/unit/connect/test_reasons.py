"""Every setting of a template has a reason."""

from __future__ import annotations

from typing import Literal

import pytest

from pipeline.connect.reasons import REASONS, reason
from pipeline.connect.templates import load


@pytest.mark.parametrize("dialect", ["postgres", "sqlserver"])
@pytest.mark.parametrize("registry", ["apicurio", "confluent"])
def test_every_setting_has_a_reason(
    dialect: Literal["postgres", "sqlserver"],
    registry: Literal["apicurio", "confluent"],
) -> None:
    """A new setting without one fails here."""
    for setting in load("ajera", dialect, registry):
        assert reason(setting)


def test_no_reason_is_left_without_a_setting() -> None:
    """A reason for nothing misleads."""
    settings = [*load("ajera", "postgres"), *load("ajera", "sqlserver")]
    for prefix in REASONS:
        assert any(setting.startswith(prefix) for setting in settings), prefix
