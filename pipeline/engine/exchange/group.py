"""Rows that begin together, and what was found about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.conflicts.rules import Side
from pipeline.model.event import Row, Value
from pipeline.pairing.entity import Entity

Values = tuple[Value, ...]


@dataclass
class Group:
    """Rows of one entity and side, as read under lock, and what may be their counterparts."""

    entity: Entity
    side: Side
    rows: Mapping[str, Row]
    at: datetime
    others: dict[str, Row] = field(
        default_factory=dict
    )  # unlinked rows of the other side, under lock, by key
    others_at: datetime | None = None  # the clock of their database then
    named: dict[str, list[str]] = field(default_factory=dict)  # their keys, by name
    eligible: frozenset[str] = frozenset()  # keys of rows that begin, ticked or not
    freed: dict[str, str] = field(
        default_factory=dict
    )  # those of them whose link may end for it, with that link
    mixed: set[str] = field(default_factory=set)  # names of rows that are of two kinds
    own: dict[str, dict[str, Row]] = field(
        default_factory=dict
    )  # unlinked rows of the own side, by name
    pairs: dict[str, str] = field(
        default_factory=dict
    )  # of namesakes that are told apart: own key and other key
    parents: dict[str, Values] = field(
        default_factory=dict
    )  # what a row belongs to, by key, as the other side knows it
    children: dict[Values, list[str]] = field(
        default_factory=dict
    )  # keys of the other side, by parent
    siblings: dict[Values, list[str]] = field(
        default_factory=dict
    )  # keys of the own side in their order, by parent
    parent_pairs: dict[str, str] = field(
        default_factory=dict
    )  # by key the pair that the parent forms, on which the row's own will hang
