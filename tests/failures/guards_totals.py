"""The guards of values over many rows, in the form of tests/failures/without.py."""

from __future__ import annotations

from tests.failures.guard import Guard

ENGINE, CONTRACT = "tests/unit/engine/test_aggregates.py", "tests/contracts/test_aggregates.py"
RESOLVE = "pipeline/engine/projection/resolve.py"
AGGREGATION = "pipeline/database/state/aggregation.py"
RETIRED = f"{ENGINE}::test_a_retired_root_keeps_the_totals_it_had_however_the_log_is_cut"

TOTALS_GUARDS = (
    Guard(
        "the root that a row left loses it",
        "pipeline/mapping/watches.py",
        "for row in (one for one in (was, now) if one is not None):",
        "for row in (one for one in (now,) if one is not None):",
        f"{ENGINE}::test_every_order_and_cut_gives_the_same_totals",
    ),
    Guard(
        "a total is not written before its rows are loaded",
        RESOLVE,
        "if loaded >= line.needs and",
        "if",
        f"{ENGINE}::test_totals_are_not_written_before_the_tables_along_their_way_are_loaded",
    ),
    Guard(
        "a total is not written before it is known which rows are its",
        RESOLVE,
        " and unknown_columns.isdisjoint(line.columns)",
        "",
        (
            f"{ENGINE}"
            "::test_a_total_is_left_as_it_is_while_a_column_along_its_way_is_not_known_in_every_row"
        ),
    ),
    Guard(
        "a retired root keeps its totals",
        RESOLVE,
        "if not root.retired_at and applies(mapping, root, graph)]",
        "if applies(mapping, root, graph)]",
        RETIRED,
    ),
    Guard(
        "what was summed up until a retirement is written before it",
        "pipeline/engine/projection/retiring.py",
        "                cuts.append(min(retired))\n",
        "                pass\n",
        RETIRED,
    ),
    Guard(
        "a total that lacks a value is not that total",
        AGGREGATION,
        "if all(part[line.target][1] for part in parts):",
        "if parts is not None:",
        f"{CONTRACT}::test_a_value_that_was_never_sent_leaves_its_lines_out",
    ),
    Guard(
        "deleted rows are not in a total",
        AGGREGATION,
        (
            "            expressions,\n            "
            "f\"t.{self._session.dialect.quote('retired_at')} = ''\","
        ),
        '            expressions,\n            "1 = 1",',
        f"{CONTRACT}::test_deleted_rows_count_nowhere",
    ),
    Guard(
        "a child row that others made keeps its values",
        "pipeline/database/systems/owned_rows.py",
        "if place in ours - new]",
        "if place not in new]",
        f"{CONTRACT}::test_a_child_row_that_others_made_keeps_its_values",
    ),
    Guard(
        "one changed row costs its own root's rows",
        "pipeline/database/sql/postgres.py",
        " LIMIT json_array_length(CAST(:rows AS json))) AS r",
        ") AS r",
        "tests/integration/test_aggregate_cost.py",
    ),
)
