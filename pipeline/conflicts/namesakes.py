"""Several rows of one name on either side: which of them belong together,
by further marks such as a city.
"""

from __future__ import annotations

from collections.abc import Mapping

Marks = Mapping[
    str, str
]  # a row's marks that are not blank, in the form in which they are compared
Group = Mapping[str, Marks]  # rows of one name by key


def told_apart(one: Group, other: Group) -> dict[str, str]:
    """Pairs of rows that are each other's best, key of `one` to key of `other`;
    which side is which does not matter.

    The best agrees in more marks than every other row, and in all of those that these agree in.
    Pairs that are found are taken out, and the rest is compared again, until no more are found.
    """
    found: dict[str, str] = {}
    left, right = dict(one), dict(other)
    while True:
        best = {key: _best(marks, right) for key, marks in left.items()}
        new = {
            key: chosen
            for key, chosen in best.items()
            if chosen is not None and _best(right[chosen], left) == key
        }
        if not new:
            return found
        found |= new
        left = {key: marks for key, marks in left.items() if key not in new}
        right = {key: marks for key, marks in right.items() if key not in set(new.values())}


def _best(marks: Marks, rows: Group) -> str | None:
    agreed = {key: _agreed(marks, row) for key, row in rows.items()}
    for key, names in agreed.items():
        if names and all(names > others for other, others in agreed.items() if other != key):
            return key
    return None


def _agreed(one: Marks, other: Marks) -> frozenset[str]:
    return frozenset(name for name, mark in one.items() if other.get(name) == mark)
