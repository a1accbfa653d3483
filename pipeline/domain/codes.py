"""Project Codes (assumption 12): every project of ours has one,
and none that somebody typed for another project.

A code hangs on nothing but the projects as they are now, not on the order in which they came.
Whoever typed an ID has it, the lowest key first; what is generated, or gets the key behind it,
avoids every ID that is typed. A retired project (deleted, or a phase now) keeps the code it had:
those that came later do without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from pipeline.mapping.convert import cut
from pipeline.mapping.site import Site
from pipeline.mapping.table import Group, Kept, RelatedRows
from pipeline.model.event import Value
from pipeline.model.ledger import LedgerRow

GROUP = "code_group"
PROJECT_CODE_LENGTH = 50
MOST_TIMES = 12  # that the key is put behind a code: every one before it was typed by somebody


def project_code(neighbours: RelatedRows) -> Value | Kept:
    """The first candidate that can be had. A retired project's first one is for its creation:
    PIM may hold another.
    """
    root = neighbours.root
    codes = candidates(root, neighbours.site)
    first = next(codes)
    if _typed(root) is None:
        if not _others(neighbours, first):
            return Kept(first) if root.retired_at else first
    elif _has_its_own(root, neighbours.members(GROUP, str(root.values[GROUP]))):
        return Kept(first) if root.retired_at else first
    return next((code for code in codes if not _others(neighbours, code)), first)


def candidates(root: LedgerRow, site: Site, length: int = PROJECT_CODE_LENGTH) -> Iterator[str]:
    """The ID, or a generated code; then the same with the key behind it, once, twice,
    as long as there is room.

    No two are alike: who has one knows which comes after it.
    """
    assumptions = site.assumptions
    base = cut(_typed(root) or assumptions.generated_code.format(key=root.key), length, utf16=True)
    given = {base}
    yield base
    for times in range(1, MOST_TIMES):
        room = length - len(_duplicate("", root.key, times, site))
        code = _duplicate(cut(base, room, utf16=True), root.key, times, site) if room > 0 else base
        if code not in given:
            given.add(code)
            yield code


def next_code(root: LedgerRow, site: Site, code: str, length: int | None) -> str | None:
    """The candidate after this one, in a column of this length."""
    codes = candidates(root, site, min(length or PROJECT_CODE_LENGTH, PROJECT_CODE_LENGTH))
    return next(codes, None) if code in codes else None


def _duplicate(code: str, key: str, times: int, site: Site) -> str:
    for _ in range(times):
        code = site.assumptions.duplicate_code.format(code=code, key=key)
    return code


def _typed(root: LedgerRow) -> str | None:
    found = root.values["project_id"]
    return None if found is None else str(found)


def _others(neighbours: RelatedRows, code: str) -> bool:
    """Did somebody type this code for another project,
    by the time the root was retired if it is.
    """
    root = neighbours.root
    members = neighbours.members(GROUP, code.lower())
    return any(member.key != root.key and _is_there(member, root) for member in members)


def _is_there(member: LedgerRow, root: LedgerRow) -> bool:
    """Is it a project, and was it one when the root was retired."""
    return bool(member.values["ever_project"]) and (
        not root.retired_at or member.changed_at <= root.retired_at
    )


def _has_its_own(root: LedgerRow, members: Sequence[LedgerRow]) -> bool:
    """Has it the ID that was typed: nobody with a lower key has it,
    nor kept it before the root came.
    """
    others = [member for member in members if member.key != root.key]
    if not others:
        return True
    if any(int(member.key) < int(root.key) and _is_there(member, root) for member in others):
        return False
    return not any(
        int(member.key) > int(root.key)
        and member.values["ever_project"]
        and member.retired_at
        and member.retired_at < root.changed_at
        and _has_its_own(member, members)
        for member in others
    )


def _values(root: LedgerRow, site: Site) -> Iterator[str]:
    if root.values[GROUP] is None:
        yield from (code.lower() for code in candidates(root, site))
    else:
        yield str(root.values[GROUP])
        codes = candidates(root, site)
        next(codes)
        yield from (code.lower() for code in codes)


def _keys(value: str, site: Site) -> Iterator[str]:
    """Keys of projects that may have this code without having typed it: a generated one,
    or one with the key behind it.
    """
    for form in (site.assumptions.generated_code, site.assumptions.duplicate_code):
        if found := _pattern(form).fullmatch(value):
            yield str(int(found["key"]))


@lru_cache(maxsize=16)  # asked for every code
def _pattern(form: str) -> re.Pattern[str]:
    """Of codes in this form."""
    pattern = (
        re.escape(form.lower())
        .replace(re.escape("{code}"), ".*")
        .replace(re.escape("{key}"), r"(?P<key>\d+)", 1)
    )
    return re.compile(pattern.replace(re.escape("{key}"), "(?P=key)"), re.DOTALL)


CODES = Group(GROUP, _values, _keys)
