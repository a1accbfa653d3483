"""A first run over two filled systems: as many projects in DPS as in Ajera,
each with its namesake.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from psycopg import sql

from deploy.demo.consumers import command
from deploy.local.stack import Stack
from deploy.sample import databases
from tests.bench.exchange import both_empty, configured

IN_AJERA = """INSERT INTO "AxProject"
    ("prjKey", "prjDescription", "prjID", "prjStatus", "prjSyncToCRM", "prjCreateInCRM", "prjNotes")
    SELECT n, 'Project ' || n, 'P' || n, 1, true, true, 'A note' FROM generate_series(1, %s) AS n"""
IN_DPS = """INSERT INTO "PR" ("WBS1", "Name", "Status", "AjeraSync", "Memo")
    SELECT 'P' || n, 'Project ' || n, 'A', 'Y',
        CASE WHEN n %% 10 = 0 THEN 'Another' ELSE 'A note' END
    FROM generate_series(1, %s) AS n"""


@dataclass(frozen=True, slots=True)
class FirstRun:
    """So many projects were linked in so many seconds; `rehearsed`:
    seconds of the rehearsal before.
    """

    projects: int
    seconds: float
    rehearsed: float


def measure(stack: Stack, projects: int) -> FirstRun:
    """Rehearse the run, then do it. Raises CommandFailed,
    and RuntimeError if not all are linked.
    """
    name = f"first-{uuid.uuid4().hex[:8]}"
    ajera_url, dps_url = both_empty(stack, name)
    config, admin = configured(stack, name, ajera_url, dps_url)
    admin.close()
    with (
        databases.connect(ajera_url) as ajera,
        databases.connect(dps_url) as in_dps,
    ):
        ajera.execute(sql.SQL(IN_AJERA), (projects,))
        in_dps.execute(sql.SQL(IN_DPS), (projects,))
        seconds = []
        for words in (("--dry-run",), ("--yes",)):
            started = time.monotonic()
            command(config, "link", *words)
            seconds.append(time.monotonic() - started)
        ((linked,),) = in_dps.execute(
            "SELECT count(*) FROM sync.link WHERE state = 'linked'"
        ).fetchall()
    if linked != projects:
        raise RuntimeError(f"{linked} of {projects} projects were linked")
    return FirstRun(projects, seconds[1], seconds[0])
