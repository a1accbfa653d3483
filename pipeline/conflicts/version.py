"""The version gate: from Ajera 8.09 on both ways, below it DPS to Ajera only."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.errors import AjeraVersionInvalid

_FORM = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})*")


@dataclass(frozen=True, slots=True, order=True)
class AjeraVersion:
    """A version, compared part by part as numbers: 8.9 is 8.09, 8.10 is newer, 8.9.1 is newer,
    8.9.0 is 8.9.
    """

    parts: tuple[int, ...]

    def __str__(self) -> str:
        return ".".join(str(part) for part in self.parts)


TWO_WAY_SINCE = AjeraVersion((8, 9))


def parse(text: str) -> AjeraVersion:
    """The version that `text` names ("8.09").
    Raises AjeraVersionInvalid for anything but numbers between dots.
    """
    trimmed = text.strip()
    if _FORM.fullmatch(trimmed) is None or not trimmed.isascii():
        raise AjeraVersionInvalid(f"{text[:40]!r} is not a version")
    parts = [int(part) for part in trimmed.split(".")]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return AjeraVersion(tuple(parts))


def is_two_way(version: AjeraVersion) -> bool:
    """Does this Ajera exchange changes in both directions."""
    return version >= TWO_WAY_SINCE
