"""An empty PIM and the settings of consumers that fill it."""

from __future__ import annotations

from deploy.local.stack import Stack
from pipeline.database.sql.engine import create_engine
from pipeline.database.state.migrate import upgrade
from pipeline.database.systems.live import create_target_tables
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.mapping.site import Site

PARTITIONS = 4  # of each topic
Raw = dict[str, dict[str, object]]


def empty(stack: Stack, name: str) -> str:
    """A database with PIM's tables and ours; its URL."""
    url = stack.create_database(name)
    engine = create_engine(url)
    create_target_tables(engine, AJERA_TO_PIM, Site())
    upgrade(engine, mirrored=AJERA_TO_PIM.sources)
    engine.dispose()
    return url


def settings(stack: Stack, pim: str, prefix: str, group: str, **run: object) -> Raw:
    """Of a group that reads topics of this prefix; `run`: settings of its own."""
    return {
        # Nobody reads Ajera: the topics are filled by us.
        "sources": {"ajera": {"database": pim, "topic_prefix": prefix}},
        "routes": {"pim": {"database": pim, "group": group}},
        "kafka": {"bootstrap_servers": stack.bootstrap, "partitions": PARTITIONS},
        "registry": {"url": stack.registry},
        "run": {**run, "metrics_port": 0},
        "log": {"level": "WARNING"},
    }
