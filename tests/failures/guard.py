"""A guard as a piece of text that can be taken out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guard:
    """What it is; where it stands; what stands there without it;
    the test that sees the difference.
    """

    name: str
    file: str
    text: str
    instead: str
    test: str
