"""Which employees and consultants are exchanged: all, those in use, those with time,
or none (assumption 50).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import assert_never

from pipeline.domain.exchange_tables import AX_PROJECT, AX_TRANSACTION
from pipeline.domain.status import StatusCoding, is_active
from pipeline.model.event import Row
from pipeline.pairing.entity import Entity, TimeColumns

EMPLOYEES, CONSULTANTS = "employee", "vendor"  # the entities that are chosen from; none has a flag


class Choice(StrEnum):
    """Of which rows pairs begin. ACTIVE needs a coding of Ajera's statuses."""

    ALL = "all"
    ACTIVE = "active"
    ON_LINKED_PROJECTS = "on_linked_projects"
    NONE = "none"


Choices = Mapping[str, Choice]  # by entity
EVERYBODY: Choices = {EMPLOYEES: Choice.ALL, CONSULTANTS: Choice.ALL}


def _time(person: str, flag: str) -> TimeColumns:
    return TimeColumns(
        person=person,
        flag=flag,
        entries=AX_TRANSACTION,
        project="tProject",
        is_deleted="tIsDeleted",
        is_current="tIsCurrent",
        projects=AX_PROJECT,
        owner="prjProject",
    )


TIME = {
    EMPLOYEES: _time("tEmployee", "vecIsEmployee"),
    CONSULTANTS: _time("tVendor", "vecIsVendor"),
}


def chosen(entity: Entity, choices: Choices, coding: StatusCoding) -> Entity:
    """The entity with its choice. A linked row that is in use no longer stays exchanged;
    with NONE it is off.
    """
    if entity.name not in EVERYBODY:
        return entity
    choice = choices[entity.name]
    match choice:
        case Choice.ALL:
            return entity
        case Choice.ACTIVE:
            return replace(entity, ajera=replace(entity.ajera, may_begin=_is_in_use(coding)))
        case Choice.ON_LINKED_PROJECTS:
            return replace(entity, ajera=replace(entity.ajera, time=TIME[entity.name]))
        case Choice.NONE:
            return replace(
                entity, ajera=replace(entity.ajera, may_begin=_nobody, is_flagged=_nobody)
            )
        case _:
            assert_never(choice)


def _is_in_use(coding: StatusCoding) -> Callable[[Row], bool]:
    return lambda row: is_active(row["vecStatus"], coding)


def _nobody(_: Row) -> bool:
    return False
