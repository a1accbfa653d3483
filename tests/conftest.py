"""The embedded stack for tests: started once a run,
and only the parts that the chosen tests need.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.local.stack import PARTS, Stack, running_stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever needs a database carries a mark,
    so that `make unit` can leave it out without a list.
    """
    for item in items:
        if (
            "running" in getattr(item, "fixturenames", ())
            and item.get_closest_marker("stack") is None
        ):
            item.add_marker(pytest.mark.postgres)


@pytest.fixture(scope="session")
def running(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """PostgreSQL alone, or everything if any chosen test needs it."""
    whole = any(item.get_closest_marker("stack") for item in request.session.items)
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")

    def report(line: str) -> None:
        if reporter is not None and request.config.getoption("verbose") > 0:
            reporter.write_line(line)

    with running_stack(report, parts=PARTS if whole else ("postgres",)) as stack:
        yield stack


@pytest.fixture(scope="session")
def postgres(running: Stack) -> Stack:
    """A stack of which only PostgreSQL can be relied on."""
    return running


@pytest.fixture(scope="session")
def stack(running: Stack) -> Stack:
    """The whole stack; its tests carry the mark `stack`."""
    return running
