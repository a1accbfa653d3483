"""Applying a mapping to rows read from the mirror: pure, and the same for every target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from pipeline.mapping.aggregate import Aggregate
from pipeline.mapping.convert import text
from pipeline.mapping.known import ValueUnknown, known
from pipeline.mapping.neighbours import Graph, GraphNeighbours, LineOf, ReadyLine
from pipeline.mapping.site import Site
from pipeline.mapping.table import (
    ChangedSince,
    Column,
    CreateOnly,
    Derived,
    Kept,
    LinkedKey,
    Related,
    RowMissing,
    TableMapping,
)
from pipeline.mapping.target import TargetRow
from pipeline.model.event import Row, Value
from pipeline.model.frozen import light
from pipeline.model.ledger import LedgerRow


@light(frozen=True, slots=True)
class Built:
    """What one root gives under one mapping: its target row, its child rows by child mapping,
    and what is missing. `fits`: the target row fits as it is.
    """

    mapping: TableMapping
    root: LedgerRow
    row: TargetRow
    children: Mapping[str, Sequence[TargetRow]]
    missing: Sequence[RowMissing]
    fits: bool = False


def is_taken(mapping: TableMapping, root: LedgerRow) -> bool:
    """Does the mapping take this root, by what the root itself holds."""
    return mapping.only_if is None or bool(root.values.get(mapping.only_if))


def applies(mapping: TableMapping, root: LedgerRow, graph: Graph) -> bool:
    """Has this root a target row under this mapping. One whose delete alone was seen has none,
    nor has one whose key a link would give that is not there.
    """
    if not root.unknown and isinstance(mapping.key, Derived):  # as nearly all
        return is_taken(mapping, root)
    match mapping.key:
        case Derived(expression=expression) if not root.unknown.isdisjoint(expression.columns):
            return False
        case LinkedKey() if not root.unknown.isdisjoint(graph.tables[mapping.source].table.key):
            return False
        case LinkedKey() if root.key not in graph.linked[mapping.name]:
            return False
    return is_taken(mapping, root)


def build(
    mapping: TableMapping,
    root: LedgerRow,
    graph: Graph,
    loaded: frozenset[str],
) -> Built:
    """The target row of one root. A column is left out where it cannot be known: its source column,
    or one of a related row, was never sent or was added since; a table it needs was not read to its
    end, a row it needs is missing (then that row is named), or changed after the root was retired.

    Raises ValueRefused when a rule refuses a source value.
    """
    lines = graph.lines.get((mapping.name, loaded))
    if lines is None:
        lines = graph.lines[mapping.name, loaded] = [*_ready(mapping, loaded)]
    neighbours = GraphNeighbours(known(root), graph, mapping)
    values: dict[str, Value] = {}
    prefill: dict[str, Value] = {
        line.target: line.of(graph.site) for line in mapping.lines if isinstance(line, CreateOnly)
    }
    missing: list[RowMissing] = []
    for target, columns, of in lines:
        if root.unknown and not root.unknown.isdisjoint(columns):
            continue
        try:
            value = of(neighbours)
        except (ChangedSince, ValueUnknown):
            continue
        except RowMissing as error:
            missing.append(error.kept())
            continue
        if isinstance(value, Kept):
            prefill[target] = value.value
        else:
            values[target] = value
    children, lacking = children_of(mapping, neighbours, loaded)
    row = TargetRow(mapping.target, (neighbours.key,), values, prefill)
    return Built(mapping, root, row, children, [*missing, *lacking])


def children_of(
    mapping: TableMapping, neighbours: GraphNeighbours, loaded: frozenset[str]
) -> tuple[dict[str, Sequence[TargetRow]], list[RowMissing]]:
    """The child rows that can be known, by target table, and the rows that they lack."""
    found: dict[str, Sequence[TargetRow]] = {}
    missing: list[RowMissing] = []
    for child in mapping.children:
        if loaded.issuperset(child.needs):
            try:
                found[child.target], lacking = child.of(neighbours)
            except (ChangedSince, ValueUnknown):
                continue
            missing += lacking
    return found, missing


def _ready(mapping: TableMapping, loaded: frozenset[str]) -> Iterator[ReadyLine]:
    """The lines that follow a row's events, without those that need a table that is not loaded."""
    for line in mapping.lines:
        match line:
            case Column(target=target, source=source):
                yield target, frozenset({source}), _text_of(source)
            case Derived(target=target, expression=expression):
                yield target, frozenset(expression.columns), _of_root(expression.of)
            case Aggregate(target=target):
                yield target, frozenset(), _aggregated(target)
            case Related(target=target, needs=needs, of=of):
                if loaded.issuperset(needs):
                    yield target, frozenset(), of
            case CreateOnly():
                pass


def _text_of(source: str) -> LineOf:
    return lambda neighbours: text(neighbours.root.values[source])


def _of_root(of: Callable[[Row, Site], Value]) -> LineOf:
    return lambda neighbours: of(neighbours.root.values, neighbours.site)


def _aggregated(target: str) -> LineOf:
    def value(neighbours: GraphNeighbours) -> Value:
        found = neighbours.aggregated
        if target not in found:
            raise ValueUnknown
        return found[target]

    return value
