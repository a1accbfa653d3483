"""What most tests of the exchange without Kafka begin with;
a module that needs another world has fixtures of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.local.stack import Stack
from tests.support.outbox import World, world


@pytest.fixture(scope="module")
def made(postgres: Stack) -> Iterator[World]:
    """Two systems and our engine between them, for the tests of one module."""
    with world(postgres) as found:
        yield found


@pytest.fixture
def firm(made: World) -> World:
    """The same, empty: as if nothing had ever been there."""
    made.clear()
    return made
