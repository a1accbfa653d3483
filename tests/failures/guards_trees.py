"""The guards of values over trees, in the form of tests/failures/without.py."""

from __future__ import annotations

from tests.failures.guard import Guard

ENGINE, CONTRACT = "tests/unit/engine/test_trees.py", "tests/contracts/test_trees.py"
COST = "tests/integration/test_tree_cost.py"
ANY = "tests/properties/test_any_accounts.py"
WATCHES, AGGREGATE = "pipeline/mapping/watches.py", "pipeline/mapping/aggregate.py"
BETWEEN = "pipeline/database/state/between.py"

TREES_GUARDS = (
    Guard(
        "a row that moves in a tree marks where it was and where it is",
        WATCHES,
        "        yield Watch(first.table, between, first.column, frozenset({first.column}))\n",
        "        del between\n",
        f"{ENGINE}::test_a_row_of_the_tree_marks_the_rows_that_it_was_and_is_below",
    ),
    Guard(
        "a row of a tree leads up without the rows that hang on it",
        WATCHES,
        "    return not is_look_up(along) and (",
        "    return is_look_up(along) and (",
        f"{ENGINE}::test_a_row_of_the_tree_marks_the_rows_that_it_was_and_is_below",
    ),
    Guard(
        "a mark of a tree leads up to the last level",
        "pipeline/engine/projection/above.py",
        "    for _ in range(path.levels):\n",
        "    for _ in range(1):\n",
        f"{CONTRACT}::test_a_mark_leads_to_the_rows_above_it_up_to_the_last_level",
    ),
    Guard(
        "what is below a deleted row of a tree belongs to nothing above it",
        BETWEEN,
        "            f\"t.{dialect.quote('retired_at')} = ''\",\n",
        '            "1 = 1",\n',
        f"{CONTRACT}::test_what_hangs_on_a_deleted_row_belongs_to_nothing_above_it",
    ),
    Guard(
        "a tree with a reference that is unknown is not that tree",
        BETWEEN,
        "                    unsure |= level[above]\n",
        "",
        (
            f"{CONTRACT}"
            "::test_a_row_whose_reference_is_unknown_leaves_the_roots_out_that_it_may_belong_to"
        ),
    ),
    Guard(
        "no deleted row leads up",
        "pipeline/database/state/ledger.py",
        "            f\"t.{dialect.quote('retired_at')} = ''\",\n",
        '            "1 = 1",\n',
        f"{CONTRACT}::test_rows_that_are_asked_lead_up_through_the_rows_that_refer_to_them",
    ),
    Guard(
        "a group of all rows is there without any",
        "pipeline/database/state/aggregation.py",
        "= {} if groups.by else {(): []}",
        "= {}",
        f"{CONTRACT}::test_without_columns_there_is_one_group_also_of_no_rows",
    ),
    Guard(
        "a row that groups look up marks the roots of those groups",
        AGGREGATE,
        "return (*(one for line in self.whole for one in line.asked), *looked_up)",
        "return (*(one for line in self.whole for one in line.asked), *looked_up)[:0]",
        f"{ENGINE}::test_totals_follow_the_rows_that_their_rows_refer_to",
    ),
    Guard(
        "groups wait for the rows that they look up",
        AGGREGATE,
        "        looked_up = {one.path.to for one in self.looks_up}\n",
        "        looked_up = set[str]()\n",
        f"{ENGINE}::test_nothing_is_written_before_what_it_needs_is_loaded",
    ),
    Guard(
        "groups are computed when the last table that they need is loaded",
        "pipeline/engine/projection/loading.py",
        "for line in (*lines, *mapping.grouped)",
        "for line in lines",
        f"{ENGINE}::test_groups_are_written_when_the_last_table_that_they_need_is_loaded",
    ),
    Guard(
        "a link of a group that changes marks the roots of its rows",
        WATCHES,
        "        yield link.entity, link_kind(groups, link)\n",
        "        yield link.entity, groups.name\n",
        f"{ENGINE}::test_a_person_who_is_linked_later_has_a_row_from_then_on",
    ),
    Guard(
        "who begins to follow links of groups computes every root anew",
        "pipeline/engine/projection/following.py",
        "if new & followed(one)]",
        "if new & {one.source}]",
        f"{ENGINE}::test_who_begins_to_follow_further_links_computes_every_root_anew",
    ),
    Guard(
        "events mark nothing for values that nobody can compute yet",
        "pipeline/engine/projection/stage.py",
        "return mark_kinds(route, transaction.loaded())",
        "return every",
        (f"{ENGINE}::test_events_mark_nothing_for_values_that_need_a_table_that_is_not_loaded"),
    ),
    Guard(
        "no table becomes loaded while an event of it is staged, in memory",
        "tests/twins/progress.py",
        '        self._session.lock("source_table", (), Strength.HOLD)\n',
        "",
        f"{ENGINE}::test_what_was_staged_while_a_table_became_loaded_is_written",
    ),
    Guard(
        "a project's accounts are those of the phases that it has in the end",
        WATCHES,
        "        yield Watch(first.table, between, first.column, frozenset({first.column}))\n",
        "        del between\n",
        ANY,
    ),
    Guard(
        "a project's accounts are computed anew when what they need is loaded",
        "pipeline/engine/projection/loading.py",
        "            mark_roots(transaction, waited, self._clock.now())\n",
        "            del waited\n",
        ANY,
    ),
    Guard(
        "what values are found by has an index",
        "pipeline/mapping/ways.py",
        "            if column not in source(table).indexed:\n",
        "            if column not in source(table).indexed and not column:\n",
        f"{ENGINE}::test_a_way_that_cannot_be_followed_is_refused",
    ),
    Guard(
        "a reference that many rows share comes once",
        "pipeline/database/sql/postgres.py",
        'f"SELECT DISTINCT t.{self.quote(column)} FROM {_counted((match,))}"',
        'f"SELECT t.{self.quote(column)} FROM {_counted((match,))}"',
        f"{COST}::test_rows_that_many_refer_to_lead_up_by_each_reference_once",
    ),
)
