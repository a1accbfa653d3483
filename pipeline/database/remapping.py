"""A corrected mapping, an entity switched on later, another assumption:
every row is recomputed once, from the mirror.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime

from sqlalchemy import Engine

from pipeline.database.state.settings import read_setting, write_setting
from pipeline.database.target import DatabaseTarget
from pipeline.mapping.route import Route
from pipeline.mapping.site import Site
from pipeline.resources import PACKAGE

MAPPING_SETTING = "mappings"


def mapping_fingerprint(route: Route, site: Site) -> str:
    """Changes with the mappings' code, the entities switched on, and the site's assumptions."""
    digest = hashlib.sha256()
    for room in ("domain", "mapping"):
        for path in sorted((PACKAGE / room).glob("*.py"), key=lambda path: path.name):
            digest.update(path.read_bytes())
    digest.update(repr([mapping.name for mapping in route.mappings]).encode())
    digest.update(site.assumptions.model_dump_json().encode())
    return digest.hexdigest()


def recompute_if_changed(
    engine: Engine,
    target: DatabaseTarget,
    route: Route,
    site: Site,
    schema: str,
) -> bool:
    """Mark every row when mappings, entities or assumptions are not those of the last run.
    A first run has none.
    """
    wanted = mapping_fingerprint(route, site)
    if read_setting(engine, MAPPING_SETTING, schema) == wanted:
        return False
    with target.transaction() as transaction:
        for table in sorted({mapping.source for mapping in route.mappings}):
            transaction.mark_table(table, secrets.randbits(62), datetime.now(UTC))
    write_setting(engine, MAPPING_SETTING, wanted, schema)
    return True
