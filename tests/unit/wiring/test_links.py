"""A route whose rows have the keys that links give needs the exchange that makes these links."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config.load import load
from pipeline.domain import dps
from pipeline.domain.routes import AJERA_TO_PIM, ROUTES
from pipeline.errors import ConfigurationInvalid
from pipeline.mapping.table import LinkedKey
from pipeline.wiring.links import schema_of_links
from tests.support.linked import LINKED, MAPPING

SETTINGS = """
[sources.ajera]
database = "postgresql://nobody@host/ajera"
version = "9.08"
[sources.dps]
database = "postgresql://nobody@host/dps"
[routes.reports]
database = "postgresql://nobody@host/dps"
sync_schema = "reports"
"""
EXCHANGE = """
[routes.dps]
sync_schema = "exchanged"
employees = "none"
consultants = "none"
"""


def test_the_links_are_in_the_schema_of_the_exchange(tmp_path: Path) -> None:
    """A route that takes no key from a link needs none."""
    file = tmp_path / "settings.toml"
    file.write_text(SETTINGS + EXCHANGE)
    settings = load(file, {}, (*ROUTES, LINKED))
    assert schema_of_links(settings, LINKED) == "exchanged"
    assert schema_of_links(settings, AJERA_TO_PIM) is None


def test_a_route_with_keys_of_links_needs_a_configured_exchange(tmp_path: Path) -> None:
    """Said before anything runs: without it every row would be one without a link."""
    file = tmp_path / "settings.toml"
    file.write_text(SETTINGS)
    with pytest.raises(ConfigurationInvalid, match=r"routes.reports: .* configure \[routes.dps\]"):
        schema_of_links(load(file, {}, (*ROUTES, LINKED)), LINKED)


@pytest.mark.parametrize(
    "key",
    [
        LinkedKey("WBS1", "projects", dps.PR, "WBS1"),
        LinkedKey("WBS1", "firm", dps.PR, "WBS1"),
        LinkedKey("WBS1", "project", dps.CLENDOR, "ClientID"),
    ],
)
def test_an_entity_that_pairs_other_rows_is_refused(tmp_path: Path, key: LinkedKey) -> None:
    """A name that is misspelt would find no link, for ever."""
    file = tmp_path / "settings.toml"
    file.write_text(SETTINGS + EXCHANGE)
    route = replace(LINKED, mappings=(replace(MAPPING, key=key),))
    with pytest.raises(ConfigurationInvalid, match=r"routes.dps pairs no rows of AxProject"):
        schema_of_links(load(file, {}, (*ROUTES, LINKED)), route)
