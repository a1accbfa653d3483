"""An empty target for one run of our consumers, their settings, and what it must hold then."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import tomli_w

from deploy.local.stack import Stack
from deploy.sample import dps
from deploy.sample.naming import Naming
from pipeline.database.sql.engine import create_engine
from pipeline.database.state.migrate import upgrade
from pipeline.database.state.schema import mirror_name
from pipeline.database.systems.live import create_target_tables
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.mapping.site import Site
from tests.bench.books import ACCOUNTING, link_projects
from tests.bench.comparing import require_equal
from tests.bench.workloads import AMOUNT, PROJECTS, Workload
from tests.support.engine import pim_rows

PARTITIONS = 4  # of each topic
SYNC = {"pim": "sync", "accounting": "sync_accounting"}  # schema of a route's state
SPENT = """SELECT count(*), sum("AjeraSpentLabor") FROM "PR" WHERE "AjeraSpentLabor" <> 0"""
Raw = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Target:
    """A database that a route writes to."""

    route: str
    url: str
    engine: sa.Engine

    def has(self, connection: sa.Connection, events: int) -> bool:
        """Have so many events been read, and does nothing wait but for rows that are to come."""
        sync = SYNC[self.route]
        read = f"SELECT COALESCE(SUM(events_read), 0) FROM {sync}.progress"
        due = (
            f"SELECT (SELECT COUNT(*) FROM {sync}.due WHERE reason IS NULL) + COUNT(*)"
            f" FROM {sync}.due_together"
        )
        with connection.begin():
            if int(connection.execute(sa.text(read)).scalar_one()) < events:
                return False
            return int(connection.execute(sa.text(due)).scalar_one()) == 0

    def has_loaded(self, connection: sa.Connection, tables: Collection[str]) -> bool:
        """Are these tables of the source read to their ends: what follows are changes, which mark
        what depends on them.
        """
        query = f"SELECT name FROM {SYNC[self.route]}.source_table WHERE epoch > 0"
        with connection.begin():
            return set(tables) <= set(connection.execute(sa.text(query)).scalars())

    def verify(self, workload: Workload, digests: dict[str, str]) -> None:
        """Raises AssertionError: a row is not there or not the newest, or waits, or the target is
        not as an equal run left it. `digests`: of earlier runs.
        """
        with self.engine.connect() as connection:
            waiting = f"SELECT COUNT(*) FROM {SYNC[self.route]}.due"
            require(f"{connection.execute(sa.text(waiting)).scalar_one()} waiting", "0 waiting")
            if self.route == "pim":
                self._verify_mirrors(connection, workload)
            else:
                spent = connection.execute(sa.text(SPENT)).one()
                touched = min(workload.events, PROJECTS)
                require(str(spent), str((touched, AMOUNT * workload.events)))
        if self.route == "pim" and workload.leaves:
            found = hashlib.sha256(repr(pim_rows(self.engine)).encode()).hexdigest()[:12]
            require(found, digests.setdefault(workload.leaves, found))

    def _verify_mirrors(self, connection: sa.Connection, workload: Workload) -> None:
        quote = self.engine.dialect.identifier_preparer.quote
        for name in workload.tables:
            columns = [column.name for column in AJERA_TO_PIM.source(name).columns]
            listed = ", ".join(map(quote, ("key", *columns)))
            query = f"SELECT {listed} FROM {SYNC[self.route]}.{quote(mirror_name(name))}"
            held = {int(key): row for key, *row in connection.execute(sa.text(query))}
            require_equal(name, held, workload.newest[name], columns)


@contextmanager
def empty(stack: Stack, route: str, name: str, server: str | None = None) -> Iterator[Target]:
    """A database of that name with the vendor's tables and ours, which is dropped at the end.
    `server`: the URL of a database beside which it is made, if not in the stack.
    """
    base = server or stack.postgres_url("postgres")
    maker = create_engine(base)
    quoted = maker.dialect.identifier_preparer.quote(name)
    _tell(maker, f"CREATE DATABASE {quoted}")
    url = sa.make_url(base).set(database=name).render_as_string(hide_password=False)
    engine = create_engine(url)
    try:
        (_prepare_pim if route == "pim" else _prepare_accounting)(engine, url)
        yield Target(route, url, engine)
    finally:
        engine.dispose()
        if maker.dialect.name == "mssql":  # the driver keeps connections
            _tell(maker, f"ALTER DATABASE {quoted} SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
        _tell(maker, f"DROP DATABASE {quoted}")
        maker.dispose()


def _tell(maker: sa.Engine, statement: str) -> None:
    """Outside a transaction."""
    with maker.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(statement))


def _prepare_pim(engine: sa.Engine, url: str) -> None:
    del url
    create_target_tables(engine, AJERA_TO_PIM, Site())
    upgrade(engine, mirrored=AJERA_TO_PIM.sources)


def _prepare_accounting(engine: sa.Engine, url: str) -> None:
    dps.create_dps(url, Naming())
    upgrade(engine, "sync", part="dps")
    upgrade(engine, SYNC["accounting"], mirrored=ACCOUNTING.sources)
    link_projects(engine, PROJECTS)


def settings(stack: Stack, target: str, route: str, name: str, **run: object) -> Raw:
    """Of a group of this name that reads topics of this prefix; `run`: settings of its own."""
    # Nobody reads Ajera: the topics are filled by us.
    raw: Raw = {
        "sources": {"ajera": {"database": target, "topic_prefix": name}},
        "routes": {"pim": {"database": target, "group": name}},
        "kafka": {"bootstrap_servers": stack.bootstrap, "partitions": PARTITIONS},
        "registry": {"url": stack.registry},
        "connect": {"watch": False},
        "run": {**run, "metrics_port": 0},
        "log": {"level": "WARNING"},
    }
    if route == "accounting":
        raw["sources"]["ajera"]["version"] = "9.08"
        raw["sources"]["dps"] = {"database": target, "topic_prefix": f"{name}-dps"}
        raw["routes"] = {
            "dps": {"group": f"{name}-dps", "employees": "all", "consultants": "all"},
            "accounting": {"group": name},
        }
    return raw


def apart(config: Path, name: str) -> Path:
    """The same settings with topics, connectors, slots and groups of their own, by this name."""
    raw: Raw = tomllib.loads(config.read_text())
    for system, source in raw["sources"].items():
        own = f"{name}-{system}"
        source |= {"topic_prefix": own, "connector_name": own, "slot_name": own.replace("-", "_")}
    for route, settings_of in raw["routes"].items():
        settings_of["group"] = f"{name}-{route}"
    path = config.with_name(f"{name}.toml")
    path.write_text(tomli_w.dumps(raw))
    return path


def require(found: str, wanted: str) -> None:
    """Raises AssertionError."""
    if found != wanted:
        raise AssertionError(f"found {found}, not {wanted}")
