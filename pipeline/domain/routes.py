"""The routes: which source goes to which target by which mappings. The whole system on one screen."""

from __future__ import annotations

from pipeline.domain import ajera, pim
from pipeline.mapping.route import Route

AJERA_TO_PIM = Route(
    "ajera-to-pim", "ajera", "pim", ajera.SOURCE_TABLES, pim.TARGET_TABLES, pim.MAPPINGS
)
