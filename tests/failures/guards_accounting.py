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
        "an amount is rounded once, after it was summed",
        "pipeline/domain/accounting_values.py",
        "return rounded(Decimal(added(numbers)), PLACES)",
        "return rounded(Decimal(added(map(int, numbers))), PLACES)",
        f"{TABS}::test_an_amount_is_rounded_once_half_to_even_after_it_was_summed",
    ),
)
