"""What lies between a root and the rows of an aggregate: read first, a statement a level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pipeline.database.sql.dialect import Lock
from pipeline.database.sql.session import Session
from pipeline.database.state.ledger import Mirror
from pipeline.database.state.schema import LEDGER_KEY, mirror_name
from pipeline.mapping.aggregate import is_look_up
from pipeline.mapping.path import Path
from pipeline.model.event import Value

UNKNOWN = "unknown"
# by root what the aggregated rows refer to, or their own keys where they are looked up; and the
# roots of which that cannot be known
References = tuple[dict[str, set[str]], set[str]]


class Between:
    """Follows ways from these roots; a tree once for all the ways that lead through it."""

    def __init__(
        self, session: Session, mirrors: Mapping[str, Mirror], roots: Sequence[str]
    ) -> None:
        self._session = session
        self._mirrors = mirrors
        self._roots = roots
        self._trees: dict[Path, References] = {}

    def of(self, along: tuple[Path, ...]) -> References:
        first, last = along[0], along[-1]
        if first.levels:
            if first not in self._trees:
                self._trees[first] = self._tree(first)
            return self._trees[first]
        if len(along) == 1:
            return {key: {key} for key in self._roots}, set()
        return self._rows(first, last.column if is_look_up(along) else "")

    def _rows(self, first: Path, looked_up: str) -> References:
        """The rows that refer to each root: their keys, or what they hold in a column."""
        found: dict[str, set[str]] = {key: set() for key in self._roots}
        unsure: set[str] = set()
        for root, named, is_unsure in self._referring(first, looked_up, self._roots):
            if is_unsure:
                unsure.add(root)
            elif named is not None:
                found[root].add(named)
        return found, unsure

    def _tree(self, path: Path) -> References:
        """Each root and the rows below it, a level of all roots at a time. A circle ends where it
        began.
        """
        found = {key: {key} for key in self._roots}
        unsure: set[str] = set()
        level = {key: {key} for key in self._roots}  # a row, and the roots that it is below
        for _ in range(path.levels):
            below: dict[str, set[str]] = {}
            for above, row, is_unsure in self._referring(path, "", sorted(level)):
                if is_unsure:
                    unsure |= level[above]
                    continue
                for root in level[above]:
                    if row is not None and row not in found[root]:
                        found[root].add(row)
                        below.setdefault(row, set()).add(root)
            level = below
            if not level:
                break
        return found, unsure

    def _referring(
        self, path: Path, looked_up: str, keys: Iterable[str]
    ) -> list[tuple[str, str | None, bool]]:
        """Of the rows that refer to these keys which one they name, their own key or what they hold
        in the column `looked_up`, and whether one of the two is unknown.
        """
        mirror, dialect = self._mirrors[path.table], self._session.dialect
        sql = dialect.select(
            mirror.table,
            (mirror.field(path.column),),
            [path.column, looked_up or LEDGER_KEY.name, UNKNOWN],
            Lock.NONE,
            f"t.{dialect.quote('retired_at')} = ''",
        )
        values = referring(self._mirrors, path, keys)
        followed = {path.column, looked_up or path.column}
        answers = self._session.run(mirror_name(path.table), sql, [(value,) for value in values])
        return [
            (
                str(above),
                None if named is None else str(named),
                not followed.isdisjoint(str(unknown).split(",")),
            )
            for above, named, unknown in answers
        ]


def referring(mirrors: Mapping[str, Mirror], path: Path, keys: Iterable[str]) -> list[Value]:
    """What the path's column holds in rows that refer to these keys, each once."""
    to = mirrors[path.to].source
    return [*dict.fromkeys(path.values_of(to, keys))]
