"""What a rehearsal of `connectors apply` says."""

from __future__ import annotations

import pytest

from pipeline.connect.status import ConnectorStatus, TaskStatus
from pipeline.operations.connector_rehearsal import (
    SettingDifference,
    compare,
    consequences,
    masked,
    new_tables,
)

RUNNING = ConnectorStatus("ajera", "RUNNING", (TaskStatus(0, "RUNNING"),))
FAILED = ConnectorStatus("ajera", "RUNNING", (TaskStatus(0, "FAILED", "why"),))


def test_settings_that_differ_are_shown_as_they_are_and_as_they_would_be() -> None:
    """Also those that one side lacks; what Connect adds is none of ours."""
    running = {"name": "ajera", "a": "1", "b": "2", "gone": "x"}
    assert list(compare(running, {"a": "1", "b": "3", "new": "y"})) == [
        SettingDifference("b", "2", "3"),
        SettingDifference("gone", "x", None),
        SettingDifference("new", None, "y"),
    ]


@pytest.mark.parametrize(
    ("setting", "text", "shown"),
    [
        ("database.password", "hunter2", "***"),
        ("database.password", "${env:PASSWORD}", "${env:PASSWORD}"),
        ("database.password", "x${env:PASSWORD}", "***"),
        ("producer.override.sasl.jaas.config", "user=me", "***"),
        ("value.converter.basic.auth.user.info", "me:hunter2", "***"),
        ("slot.name", "ajera_cdc", "ajera_cdc"),
        ("database.password", None, None),
    ],
)
def test_a_secret_is_never_shown_and_an_expression_is(
    setting: str, text: str | None, shown: str | None
) -> None:
    """Somebody may have typed it into Connect by hand."""
    assert masked(setting, text) == shown


def test_tables_that_are_not_captured_yet_are_named_as_the_database_names_them() -> None:
    """All of them where there is no connector."""
    applied = {"table.include.list": r"public\.AxVec,public\.Ax\ Project"}
    assert new_tables(None, applied) == ("public.AxVec", "public.Ax Project")
    assert new_tables({"table.include.list": r"public\.AxVec"}, applied) == ("public.Ax Project",)


@pytest.mark.parametrize(
    ("status", "is_resnapshot", "is_changed", "words"),
    [
        (ConnectorStatus("ajera", "ABSENT"), True, True, ["created", "epoch 3"]),
        (RUNNING, False, False, ["Nothing changes"]),
        (RUNNING, False, True, ["restarts"]),
        (FAILED, False, False, ["restarted"]),
        (ConnectorStatus("ajera", "PAUSED"), False, True, ["restarts", "stays PAUSED"]),
        (ConnectorStatus("ajera", "STOPPED"), True, False, ["epoch 3", "stays STOPPED"]),
    ],
)
def test_what_follows_is_told_in_a_sentence_each(
    status: ConnectorStatus, is_resnapshot: bool, is_changed: bool, words: list[str]
) -> None:
    """And nothing else."""
    told = list(consequences(status, 3, is_resnapshot=is_resnapshot, is_changed=is_changed))
    for sentence, word in zip(told, words, strict=True):
        assert word in sentence
