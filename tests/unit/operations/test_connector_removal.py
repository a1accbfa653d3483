"""Which topics go with a connector, and that none goes that somebody reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.kafka.groups import GroupState
from pipeline.operations.connector_removal import deletable, topics_of_connector
from pipeline.operations.connectors import topics_of
from pipeline.wiring.source import source_of
from tests.support.lags import settings_in
from tests.twins.kafka_topics import KafkaTopics

GROUP = "ajera-cdc.ajera-to-pim"
VEC, PROJECT = "ajera.AxVec", "ajera.AxProject"


def kafka(groups: Mapping[str, GroupState]) -> KafkaTopics:
    found = KafkaTopics(groups=groups)
    found.create(VEC, 2)
    found.append(VEC, b"one", 1)
    found.append(VEC, b"two", 2)
    return found


def test_topics_that_are_there_go_with_the_messages_in_them() -> None:
    """What a person confirms is what is deleted."""
    assert deletable(kafka({}), (VEC, PROJECT), [GROUP]) == ((VEC,), 2)


@pytest.mark.parametrize(
    "state", [GroupState("stable", 2, {}), GroupState("preparing rebalance", 0, {})]
)
def test_topics_that_a_group_reads_are_refused(state: GroupState) -> None:
    """Its consumers would take a topic that is deleted for one that was lost."""
    with pytest.raises(UsageError, match=rf"{GROUP} is {state.state}.*Nothing was removed"):
        deletable(kafka({GROUP: state}), (VEC,), [GROUP])


def test_dead_letters_are_kept(tmp_path: Path) -> None:
    """All else that a connector has goes."""
    settings = settings_in(tmp_path)
    mine = {one.name for one in topics_of(settings, "ajera")}
    gone = set(topics_of_connector(source_of(settings, "ajera")))
    assert mine - gone == {f"{GROUP}.dead"}
    assert gone <= mine
