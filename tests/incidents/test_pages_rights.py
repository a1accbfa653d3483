"""The page of rights in Kafka: the broker's own authorizer refuses our user one topic."""

from __future__ import annotations

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined] # it imports them without `as`
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from tests.incidents.firm import Firm
from tests.support.live import wait_until

pytestmark = pytest.mark.stack
STATUS = "ajera-cdc status"
WHO, ANYWHERE = "User:ANONYMOUS", "*"  # nobody logs in to the embedded broker


def test_a_topic_may_not_be_read_any_more(firm: Firm) -> None:
    """Edits wait in Kafka; with the rule taken back, they arrive."""
    person, name = firm.person("kafka.rights"), f"{firm.live.name}.AxProject"
    kafka = AdminClient({"bootstrap.servers": firm.live.stack.bootstrap})
    with firm.edits():
        for added in kafka.create_acls(rules(name)).values():
            added.result(10)
        try:
            firm.live.edit('UPDATE "AxProject" SET "prjDescription" = %s WHERE "prjKey" = 1', "New")
            wait_until(lambda: is_named(name, person.look()), "check names the topic")
            wait_until(lambda: person.code in person.type_(STATUS).shown, "status says so")
            assert not person.is_over()
        finally:
            for found in kafka.delete_acls([of_topic(name)]).values():
                found.result(10)
        person.heal()
        wait_until(person.is_over, "the topic is read")
        wait_until(lambda: firm.live.project(1, "Name") == "New", "PIM has the edit")


def is_named(topic: str, shown: str) -> bool:
    """In a line of `check` that says why."""
    return any(topic in line and "may not read" in line for line in shown.splitlines())


def rules(name: str) -> list[AclBinding]:
    """Everything is allowed but to read."""
    literal = ResourcePatternType.LITERAL
    return [
        AclBinding(ResourceType.TOPIC, name, literal, WHO, ANYWHERE, operation, kind)
        for operation, kind in (
            (AclOperation.ALL, AclPermissionType.ALLOW),
            (AclOperation.READ, AclPermissionType.DENY),
        )
    ]


def of_topic(name: str) -> AclBindingFilter:
    every = AclOperation.ANY, AclPermissionType.ANY
    return AclBindingFilter(
        ResourceType.TOPIC, name, ResourcePatternType.LITERAL, WHO, ANYWHERE, *every
    )
