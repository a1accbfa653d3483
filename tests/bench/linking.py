"""A first run over two filled systems: as many projects in DPS as in Ajera,
each with its namesake.
"""

from __future__ import annotations

import time
import uuid

from psycopg import sql

from deploy.demo.consumers import command
from deploy.local.stack import Stack
from deploy.sample import databases
from tests.bench.exchange import both_empty, configured
from tests.bench.measuring import Result
from tests.bench.report import Line, Say

IN_AJERA = """INSERT INTO "AxProject"
    ("prjKey", "prjDescription", "prjID", "prjStatus", "prjSyncToCRM", "prjCreateInCRM", "prjNotes")
    SELECT n, 'Project ' || n, 'P' || n, 1, true, true, 'A note' FROM generate_series(1, %s) AS n"""
IN_DPS = """INSERT INTO "PR" ("WBS1", "Name", "Status", "AjeraSync", "Memo")
    SELECT 'P' || n, 'Project ' || n, 'A', 'Y',
        CASE WHEN n %% 10 = 0 THEN 'Another' ELSE 'A note' END
    FROM generate_series(1, %s) AS n"""


def measure(stack: Stack, projects: int, say: Say) -> list[Line]:
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
    rehearsed, done = seconds
    say(f"link: {projects:,} projects a side in {done:.1f} s")
    remark = f"{done:.1f} s, rehearsed in {rehearsed:.1f} s; a tenth of them differ in a line"
    result = Result(projects / done)
    return [Line("link", "projects a side", projects, [result], remarks=[remark])]
