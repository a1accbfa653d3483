"""Versions of our own schemas that were released are as they were."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.database.state import migrations

FOLDER = Path(migrations.__file__).parent
RELEASED = {
    "versions/r0001_first.py": "7c7aea0ea08f1631",
    "dps/d0001_first.py": "24b55a31925144fd",
    "ajera/a0001_first.py": "30ab58539d849fdd",
}


@pytest.mark.parametrize("name", RELEASED)
def test_a_released_version_is_not_edited(name: str) -> None:
    """A database that has it already is never given it again: what it should have more, or in
    another form, is a new version after it. What a route mirrors is in no version: `schema upgrade`
    adds it.
    """
    text = (FOLDER / name).read_bytes()
    assert hashlib.sha256(text).hexdigest()[:16] == RELEASED[name]


def test_every_version_follows_one_that_is_there() -> None:
    """In a line, each part of its own: two that follow the same one could not both be applied."""
    for folder in ("versions", "dps", "ajera"):
        files = sorted((FOLDER / folder).glob("*[0-9]_*.py"))
        texts = [file.read_text() for file in files]
        for before, after in pairwise(texts):
            (name,) = [line for line in before.splitlines() if line.startswith("revision = ")]
            assert f"down_{name}" in after
