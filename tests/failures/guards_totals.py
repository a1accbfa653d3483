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
        'only_if=_is_there("t", quote),',
        'only_if="1 = 1",',
        f"{CONTRACT}::test_deleted_rows_count_nowhere",
    ),
    Guard(
        "a row that a condition asks moves the totals",
        "pipeline/mapping/watches.py",
        '        yield Watch(path.to, asked_kind(root, line.along, path), "", columns)\n',
        "        del path, columns\n",
        f"{ENGINE}::test_a_row_that_is_referred_to_moves_the_totals_of_every_root_that_reads_it",
    ),
    Guard(
        "a row that refers to another row moves the totals",
        "pipeline/mapping/aggregate.py",
        'return frozenset({self.column, *held, *(one.path.column for one in self.related)} - {""})',
        'return frozenset({self.column, *held} - {""})',
        f"{ENGINE}::test_a_row_that_refers_to_another_row_moves_too",
    ),
    Guard(
        "a condition waits for the rows that it asks",
        "pipeline/mapping/aggregate.py",
        "return frozenset({self.table, *(path.table for path in self.along), *related})",
        "return frozenset({self.table, *(path.table for path in self.along)})",
        (
            f"{ENGINE}"
            "::test_a_total_with_a_condition_is_not_written_before_the_rows_it_asks_are_loaded"
        ),
    ),
    Guard(
        "a condition on what is not known is not a total",
        AGGREGATION,
        "        read += [(self._alias(one.path), one.column) for one in line.related]\n",
        "",
        f"{CONTRACT}::test_a_condition_on_a_value_that_was_never_sent_leaves_its_lines_out",
    ),
    Guard(
        "a condition finds no deleted row",
        AGGREGATION,
        '                f" AND {_is_there(alias, quote)}"\n',
        "",
        f"{CONTRACT}::test_a_condition_may_be_on_a_row_that_is_referred_to",
    ),
    Guard(
        "groups that lack a value are not those groups",
        AGGREGATION,
        "if all(is_known for _, part in parts for _, is_known in part.values()):",
        "if parts is not None:",
        f"{CONTRACT}::test_groups_of_which_a_row_lacks_a_value_are_left_out",
    ),
    Guard(
        "a row of which it is not known to what group it belongs",
        AGGREGATION,
        "sorted(line.reads | followed | {*self.by})]",
        "sorted(line.reads | followed)]",
        f"{CONTRACT}::test_groups_of_which_a_row_lacks_a_value_are_left_out",
    ),
    Guard(
        "a group has rows that count",
        AGGREGATION,
        'if None not in held and part[""][0]:',
        "if None not in held:",
        f"{CONTRACT}::test_rows_are_grouped_by_what_they_hold_and_each_group_has_its_values",
    ),
    Guard(
        "a row that goes to another group marks its root",
        "pipeline/mapping/aggregate.py",
        "return frozenset(self.by).union(*(line.reads for line in self.whole))",
        "return frozenset[str]().union(*(line.reads for line in self.whole))",
        f"{ENGINE}::test_rows_for_groups_follow_every_change_of_what_they_are_made_of",
    ),
    Guard(
        "groups are not written before their rows are loaded",
        RESOLVE,
        "if loaded >= one.needs and unknown_columns.isdisjoint(one.columns)",
        "if unknown_columns.isdisjoint(one.columns)",
        f"{ENGINE}::test_rows_for_groups_are_left_as_they_are_while_not_all_is_known",
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
        " LIMIT cardinality({_array(0, fields[0])})) AS r",
        ") AS r",
        "tests/integration/test_aggregate_cost.py",
    ),
    Guard(
        "thousands of rows that a statement is given are looked up by an index",
        "pipeline/database/sql/postgres.py",
        'f"(SELECT {_array(number, field)})" for',
        'f"{_array(number, field)}" for',
        "tests/integration/test_given_rows.py",
    ),
    Guard(
        "a few rows that are locked are looked up by an index",
        "pipeline/database/sql/postgres.py",
        'f"SELECT {what} FROM {_counted(match)} JOIN',
        'f"SELECT {what} FROM {_rows(match)} JOIN',
        "tests/integration/test_given_rows.py"
        "::test_a_few_rows_of_a_small_table_are_looked_up_by_the_index",
    ),
    Guard(
        "rows that a statement is given are not gone through for each row of a table",
        "pipeline/database/sql/postgres.py",
        "f\"ROWS FROM (unnest({given}), json_array_elements('[]')) AS r({names})\"",
        'f"ROWS FROM (unnest({given})) AS r({names})"',
        "tests/integration/test_plans.py",
    ),
)
