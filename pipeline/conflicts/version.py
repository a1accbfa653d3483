"""The version gate: from Ajera 8.09 on both ways, below it DPS to Ajera only."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from pipeline.conflicts.rules import (
    ColumnPair,
    Direction,
    Rule,
    Rules,
    Side,
)
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


def below_two_way(rules: Rules, found_by: Collection[str] = ()) -> Rules:
    """What is left of the lines below 8.09: DPS to Ajera only, each DPS edit overwrites,
    Ajera's edits are left alone.

    Lines that Ajera owns, or that flow to DPS only, are gone. Of `found_by`, lines by which rows
    are found, those that Ajera owns are written when a row is created, and never after.
    """
    kept = (
        pair
        for pair in rules.pairs
        if pair.flows_to(Side.AJERA) and (pair.rule is not Rule.AJERA or pair.name in found_by)
    )
    return replace(rules, pairs=tuple(_one_way(pair) for pair in kept))


def _one_way(pair: ColumnPair) -> ColumnPair:
    is_once = pair.rule in (Rule.CREATE_ONLY, Rule.AJERA)
    rule = Rule.CREATE_ONLY if is_once else Rule.NEWEST
    return replace(pair, rule=rule, direction=Direction.TO_AJERA)
