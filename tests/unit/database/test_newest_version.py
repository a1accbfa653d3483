"""Which version of our schemas this program needs, read without Alembic."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from pipeline.database.state.migrate import FOLDERS, MIGRATIONS, Part, latest


@pytest.mark.parametrize("part", FOLDERS)
def test_the_newest_version_is_what_alembic_would_bring_a_schema_to(part: Part) -> None:
    """Its head of the same folder."""
    folder: Path = MIGRATIONS / FOLDERS[part]
    heads = ScriptDirectory(str(MIGRATIONS), version_locations=[str(folder)]).get_heads()
    assert [latest(part)] == heads
