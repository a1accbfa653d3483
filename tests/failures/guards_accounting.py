"""The guards of the accounting tabs, in the form of tests/failures/without.py."""

from __future__ import annotations

from tests.failures.guard import Guard

TABS = "tests/unit/domain/test_accounting.py"
GROUPS = "pipeline/domain/accounting_groups.py"

ACCOUNTING_GUARDS = (
    Guard(
        "what is charged to a marketing phase does not count",
        GROUPS,
        '    WhereRelated(CHARGED, "is_counted", (True,)),\n',
        "",
        f"{TABS}::test_a_marketing_phase_counts_if_the_site_says_so",
    ),
    Guard(
        "billed work is no WIP",
        GROUPS,
        "BILLABLE, NOT_FINAL)",
        "BILLABLE)",
        f"{TABS}::test_work_is_wip_until_its_invoice_is_final_and_billed_then",
    ),
    Guard(
        "a closed project stays as it was",
        "pipeline/domain/accounting_mirror.py",
        'return row.get("prjStatus") != CLOSED or site.assumptions.closed_projects_follow',
        "return True",
        f"{TABS}::test_a_closed_project_stays_as_it_was_unless_the_site_says_otherwise",
    ),
    Guard(
        "what has no link is not computed anew when tables become loaded",
        "pipeline/engine/projection/roots.py",
        "linked=entity or None",
        "linked=None",
        "tests/unit/engine/test_loading.py"
        "::test_only_rows_that_have_a_target_row_are_marked_when_tables_become_loaded",
    ),
    Guard(
        "a column that a site does not have is peoples",
        "pipeline/engine/projection/children.py",
        "not_ours = {*table.key, *child.without(self.site)}",
        "not_ours = {*table.key}",
        f"{TABS}::test_the_day_of_a_team_row_is_peoples_where_the_crm_has_none",
    ),
    Guard(
        "a department that has not come is waited for",
        "pipeline/domain/accounting_values.py",
        "        if isinstance(rate, RowMissing):\n            raise rate\n",
        "        if isinstance(rate, RowMissing):\n            continue\n",
        f"{TABS}::test_the_overhead_is_the_departments_else_the_companys",
    ),
    Guard(
        "below 8.09 there are no tabs",
        "pipeline/wiring/offered.py",
        "    if route.since and parse(version) < parse(route.since):\n",
        "    if False:\n",
        "tests/unit/config/test_accounting.py::test_below_8_09_it_is_refused_and_check_says_so",
    ),
    Guard(
        "two parts do not fill one column",
        "pipeline/mapping/merging.py",
        "    if twice:\n",
        "    if False:\n",
        "tests/unit/mapping/test_merging.py::test_two_parts_cannot_fill_one_column",
    ),
    Guard(
        "what concerns every project is recomputed some at a time",
        "pipeline/engine/projection/recompute.py",
        "            raise TooManyRoots\n",
        "            pass\n",
        f"{TABS}::test_what_concerns_every_project_is_written_some_at_a_time",
    ),
    Guard(
        "what is put back is in the conflict log",
        "pipeline/engine/projection/recompute.py",
        "        self._put_back.log(transaction, done, now)\n",
        "",
        "tests/unit/engine/test_put_back.py"
        "::test_what_is_put_back_is_in_the_conflict_log_as_owned_by_ajera",
    ),
    Guard(
        "a column that an event lacks keeps its value",
        "pipeline/engine/projection/guard.py",
        "((name, event.row[name]) for name in event.row.keys() & table.sendable)",
        "((name, event.row.get(name)) for name in table.sendable)",
        "tests/properties/test_any_accounts.py",
    ),
    Guard(
        "what was deleted while nobody captured counts nowhere",
        "pipeline/engine/projection/loading.py",
        "            while self._sweep(table, epoch):\n                pass\n",
        "            pass\n",
        "tests/properties/test_any_accounts.py",
    ),
    Guard(
        "an amount is rounded once, after it was summed",
        "pipeline/domain/accounting_values.py",
        "return rounded(Decimal(added(numbers)), PLACES)",
        "return rounded(Decimal(added(map(int, numbers))), PLACES)",
        f"{TABS}::test_an_amount_is_rounded_once_half_to_even_after_it_was_summed",
    ),
)
