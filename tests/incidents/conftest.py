"""One firm for all incidents, as long as each leaves it healthy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from deploy.local.stack import Stack
from tests.incidents.firm import Firm, founded


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
