"""Project Codes: every project of ours has one, and it hangs on the projects alone,
not on the order in which they came.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.errors import PipelineError
from pipeline.mapping.route import Route
from pipeline.mapping.site import Assumptions, Site
from pipeline.model.event import Event
from tests.support.events import event
from tests.support.orders import codes, cuts, orders, pim_after


def project(key: int, code: str | None, at: int, **columns: object) -> Event:
    return event(
        "AxProject",
        key,
        at=at,
        partition=key,
        prjStatus=1,
        prjID=code,
        **columns,  # type: ignore[arg-type]
    )


def phase(key: int, code: str | None, at: int) -> Event:
    return project(key, code, at, prjProject=99)


def typed(*found: str | None) -> list[Event]:
    """Projects with the keys 1, 2, ..., and these Project IDs."""
    return [project(key, code, at=key) for key, code in enumerate(found, 1)]


LONG = "L" * 60
CASES = {
    "a typed code is like a generated one": (
        typed("AJ-2", None),
        {"1": "AJ-2", "2": "AJ-2-2"},
    ),
    "a typed code is like the generated one of a lower key": (
        typed(None, "aj-1"),
        {"1": "AJ-1-1", "2": "aj-1"},
    ),
    "a typed code is like one with the key behind it": (
        typed("A-3", "A", "a"),
        {"1": "A-3", "2": "A", "3": "a-3-3"},
    ),
    "typed codes take two in a row": (
        [
            project(1, "A-4", 1),
            project(2, "A-4-4", 2),
            project(3, "A", 3),
            project(4, "A", 4),
        ],
        {"1": "A-4", "2": "A-4-4", "3": "A", "4": "A-4-4-4"},
    ),
    "who loses a code that looks like one with a key": (
        [
            project(1, "A", 1),
            project(2, "A-3", 2),
            project(3, "A", 3),
            project(4, "A-3", 4),
        ],
        {"1": "A", "2": "A-3", "3": "A-3-3", "4": "A-3-4"},
    ),
    "codes that are cut": (
        typed(LONG, LONG),
        {"1": LONG[:50], "2": LONG[:48] + "-2"},
    ),
    "a cut code is typed": (
        typed(LONG[:48] + "-3", LONG, LONG),
        {"1": LONG[:48] + "-3", "2": LONG[:50], "3": LONG[:46] + "-3-3"},
    ),
    "two change codes": (
        [
            project(1, "A", 1),
            project(2, "B", 2),
            project(1, "B", 3),
            project(2, "A", 4),
        ],
        {"1": "B", "2": "A"},
    ),
    "a code is left": (
        [project(1, "A", 1), project(2, "A", 2), project(1, "B", 3)],
        {"1": "B", "2": "A"},
    ),
    "a typed code that generated ones avoided is left": (
        [project(1, "AJ-2", 1), project(2, None, 2), project(1, "B", 3)],
        {"1": "B", "2": "AJ-2"},
    ),
    "a phase becomes a project": (
        [project(3, "b", 1), phase(2, "B", 2), project(2, "B", 3)],
        {"2": "B", "3": "b-3"},
    ),
    "a phase has no claim": (
        [project(3, "b", 1), phase(2, "B", 2)],
        {"3": "b"},
    ),
    "a phase types a generated code": (
        [project(2, None, 1), phase(1, "AJ-2", 2)],
        {"2": "AJ-2"},
    ),
    "a project that is deleted keeps its code": (
        [
            project(1, "A", 1),
            project(2, "A", 2),
            event("AxProject", 1, "d", at=3, partition=1),
        ],
        {"1": "A", "2": "A-2"},
    ),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_codes_are_the_same_in_any_order_and_any_cut(case: str) -> None:
    """Every order that keeps the events of one row in theirs: one by one, and in one batch."""
    events, expected = CASES[case]
    for order in orders(events):
        for batches in ([[one] for one in order], [order]):
            assert codes(pim_after(batches)) == expected, [(one.key, one.position) for one in order]


RETIRED = {
    "a lower key takes the id of a deleted project": (
        [
            project(2, "A", 1),
            event("AxProject", 2, "d", at=2, partition=2),
            project(1, "A", 3),
        ],
        {"1": "A-1", "2": "A"},
    ),
    "a deleted project keeps the key behind its code": (
        [
            project(1, "A", 1),
            project(2, "A", 2),
            event("AxProject", 2, "d", at=3, partition=2),
            project(1, "B", 4),
        ],
        {"1": "B", "2": "A-2"},
    ),
    "somebody types what a deleted project was given": (
        [
            project(7, None, 1),
            event("AxProject", 7, "d", at=2, partition=7),
            project(8, "AJ-7", 3),
        ],
        {"7": "AJ-7", "8": "AJ-7-8"},
    ),
    "somebody types what a deleted project got with its key": (
        [
            *(
                project(1, "A", 1),
                project(3, "A", 2),
                event("AxProject", 3, "d", at=3, partition=3),
            ),
            project(8, "A-3", 4),
        ],
        {"1": "A", "3": "A-3", "8": "A-3-8"},
    ),
    "a deleted project comes back": (
        [
            *(
                project(2, "A", 1),
                event("AxProject", 2, "d", at=2, partition=2),
                project(1, "A", 3),
            ),
            project(2, "A", 4),
        ],
        {"1": "A", "2": "A-2"},
    ),
    "a project that became a phase keeps its code": (
        [
            project(2, "A", 1),
            phase(2, "C", 2),
            project(1, "A", 3),
            project(3, "C", 4),
        ],
        {"1": "A-1", "2": "A", "3": "C"},
    ),
}


@pytest.mark.parametrize("case", sorted(RETIRED))
def test_a_retired_project_keeps_its_code_however_the_log_is_cut(
    case: str,
) -> None:
    """Those that came after it do without."""
    events, expected = RETIRED[case]
    for batches in cuts(events):
        assert codes(pim_after(batches)) == expected, [
            [one.position for one in batch] for batch in batches
        ]


def test_a_lower_key_that_came_before_a_delete_and_is_read_after_it_has_the_id() -> None:
    """Positions tell: it was there when the other one was deleted."""
    gone = event("AxProject", 2, "d", at=3, partition=2)
    assert codes(pim_after([[project(2, "A", 2)], [gone], [project(1, "A", 1)]])) == {
        "1": "A",
        "2": "A-2",
    }


def test_a_code_of_pims_own_people_is_waited_for_and_never_touched() -> None:
    """Whether it was typed, generated, or has the key behind it (assumption 31)."""
    own = [
        {
            "Project ID": "own-1",
            "Project Code": "AJ-2",
            "Name": "theirs",
            "Status": "Active",
        }
    ]
    target = pim_after([typed("X", None, "Y")], own=own)
    assert codes(target) == {"1": "X", "3": "Y", "own-1": "AJ-2"}
    with target.transaction() as transaction:
        assert transaction.waiting_count() == 1


def test_a_project_that_waits_for_a_code_keeps_the_one_it_has() -> None:
    """Though another project would have it."""
    own = [
        {
            "Project ID": "own-1",
            "Project Code": "B",
            "Name": "theirs",
            "Status": "Active",
        }
    ]
    target = pim_after(
        [[project(1, "A", 1)], [project(1, "B", 2), project(2, "A", 3)]],
        own=own,
    )
    assert codes(target) == {"1": "A", "own-1": "B"}


def test_codes_that_a_shorter_column_makes_alike_are_told_apart() -> None:
    """Its length is the live database's: two IDs may differ behind it, and a key has to fit in."""
    route = with_length("Project", "Project Code", 10)
    for order in orders(
        [
            project(1, "2026-LIBRARY-A", 1),
            project(2, "2026-LIBRARY-B", 2),
            project(3, "x" * 60, 3),
        ]
    ):
        found = codes(pim_after([order], route=route))
        assert found == {
            "1": "2026-LIBRA",
            "2": "2026-LIB-2",
            "3": "x" * 10,
        }


def with_length(table: str, column: str, length: int) -> Route:
    """The route to a PIM in which this column is shorter."""
    targets = tuple(
        replace(
            t,
            columns=tuple(replace(c, length=length) if c.name == column else c for c in t.columns),
        )
        if t.name == table
        else t
        for t in AJERA_TO_PIM.targets
    )
    return replace(AJERA_TO_PIM, targets=targets)


def test_a_role_that_a_shorter_column_cuts_keeps_nobody_waiting() -> None:
    """Two roles that become one are one."""
    route = with_length("Project_Contact", "Role Type", 15)
    people = [
        event("AxVec", 5, at=1, vecIsEmployee=True),
        project(1, None, 2, prjProjectManager=5),
    ]
    resource = event(
        "AxResource",
        1,
        at=3,
        resProject=1,
        resEmployee=5,
        resRole="Project Manager of the second kind",
    )
    target = pim_after([[*people, resource]], route=route)
    assert [row["Role Type"] for row in target.rows("Project_Contact")] == ["Project Manager"]


def test_other_forms_of_codes_avoid_typed_ones_too() -> None:
    """As the site profile writes them."""
    site = Site(
        assumptions=Assumptions(generated_code="{key}/gen", duplicate_code="({key}) {code}")
    )
    events = typed("2/gen", None, "(4) A", "A", "A", "(5) a")
    events[3:5] = [project(5, "A", 5), project(4, "A", 4)]
    found = codes(pim_after([events], site=site))
    assert found == {
        "1": "2/gen",
        "2": "(2) 2/gen",
        "3": "(4) A",
        "4": "A",
        "5": "(5) (5) A",
        "6": "(5) a",
    }


@pytest.mark.parametrize(
    "form",
    [
        "{code}",
        "{code}{key}",
        "{key}{code}",
        "{key}",
        "{code}-{code}-{key}",
    ],
)
def test_a_form_that_could_give_two_projects_one_code_is_refused(
    form: str,
) -> None:
    """Code and key must be told apart."""
    with pytest.raises((ValueError, PipelineError)):
        Assumptions(duplicate_code=form)
