"""A route that reads back its target: its consumers have the topics of two systems, each decoded by
its own decoder, and whatever is about a system knows that the route reads it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config.load import load
from pipeline.config.settings import Settings
from pipeline.decoding.by_topic import DecoderByTopic, topics_of
from pipeline.domain.routes import ROUTES
from pipeline.errors import MetadataMissing
from pipeline.model.event import Message, Tombstone, Undecodable
from pipeline.wiring.projection import decoders_for, needs_in
from pipeline.wiring.route import handle_of
from pipeline.wiring.source import source_of
from tests.support.tabs import TABS

CONTRACT = Path(__file__).parents[2] / "support" / "tabs_contract"
ROUTE = replace(TABS, schemas=CONTRACT)
SETTINGS = """
[sources.ajera]
database = "postgresql://nobody@host/ajera"
version = "9.08"
[sources.dps]
database = "postgresql://nobody@host/dps"
[routes.tabs]
database = "postgresql://nobody@host/dps"
sync_schema = "tabs"
[routes.dps]
employees = "none"
consultants = "none"
"""
PROJECTS, TEAM = "dps.PR", "dps.EMProjectAssoc"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "settings.toml"
    file.write_text(SETTINGS)
    return load(file, {}, (*ROUTES, ROUTE))


def no_schema(number: int) -> str:
    raise AssertionError(f"nobody asks for a schema: {number}")


def test_a_consumer_has_the_topics_and_heartbeats_of_both_systems(settings: Settings) -> None:
    """Those of the source first; each topic is decoded by its system's decoder alone."""
    source, target = decoders_for(settings, ROUTE, no_schema)
    assert topics_of([source]) == [
        "ajera.AxProject",
        "ajera.AxInvoiceGroup",
        "__debezium-heartbeat.ajera",
    ]
    assert topics_of([target]) == [PROJECTS, TEAM, "__debezium-heartbeat.dps"]
    both = DecoderByTopic([source, target])
    for topic in both.topics[:2] + both.topics[3:5]:
        assert both.decode(Message(topic, 0, 0, None, None), 1) == Tombstone()
    other = both.decode(Message("dps.Clendor", 0, 0, None, None), 1)
    assert isinstance(other, Undecodable)
    assert isinstance(other.error, MetadataMissing)


def test_what_is_about_a_system_knows_that_the_route_reads_it(settings: Settings) -> None:
    """Lag and replay its topics, its connector what is captured, its epochs the route's state."""
    handle = handle_of(settings, ROUTE)
    assert handle.systems == ("ajera", "dps")
    assert {PROJECTS, TEAM} <= {*handle.topics}
    source = source_of(settings, "dps")
    assert {PROJECTS, TEAM} <= {*source.topics}
    assert source.topics.count(PROJECTS) == 1
    assert [state.schema for state in source.states] == ["sync", "tabs"]


def test_a_column_that_is_read_back_is_needed_by_the_route(settings: Settings) -> None:
    """A contract that is broken there is told with this reason; lines need the source alone."""
    needs = needs_in(settings, ROUTE, "dps")
    assert needs["PR"]["AjeraName"] == "tabs, put back"
    assert needs.keys() == {"PR", "EMProjectAssoc"}
    assert needs_in(settings, ROUTE, "ajera").keys() == {"AxProject", "AxInvoiceGroup"}
