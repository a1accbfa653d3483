"""One firm for all incidents, as long as each leaves it healthy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.local.stack import Stack
from tests.incidents.firm import Firm, founded

HERE = Path(__file__).parent
INCIDENT_SECONDS = 300


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The firm is made, and seen to be healthy again, under deadlines of its own: an incident's
    time does not begin before it.
    """
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(INCIDENT_SECONDS, func_only=True))


class Town:
    """The firm that incidents happen to: another one after an incident that was not healed."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._resources = ExitStack()
        self._firm: Firm | None = None

    def firm(self) -> Firm:
        if self._firm is None:
            self._firm = self._resources.enter_context(founded(self._stack))
        return self._firm

    def give_up(self) -> None:
        self._firm = None
        self._resources.close()


@pytest.fixture(scope="session")
def town(stack: Stack) -> Iterator[Town]:
    found = Town(stack)
    yield found
    found.give_up()


@pytest.fixture
def firm(town: Town) -> Iterator[Firm]:
    """Captured, loaded, linked, healthy; and so it must be again."""
    found = town.firm()
    is_healed = False
    try:
        yield found
        found.wait_until_healthy()
        found.wait_until_right()
        is_healed = True
    finally:
        if not is_healed:
            town.give_up()
