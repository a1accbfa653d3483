"""The guards of the two-way exchange around first links, in the form of tests/failures/without.py."""

from __future__ import annotations

from tests.failures.guard import Guard

RULES, UNIT = "pipeline/conflicts", "tests/unit/conflicts"
BLANKS, FILLS = f"{UNIT}/test_first_blanks.py", f"{UNIT}/test_only_fills.py"
ON_DATABASES = "tests/integration/test_exchange_first_blanks.py"
NAMES = "tests/unit/mapping/test_project_name.py"

FIRST_GUARDS = (
    Guard(
        "a blank wipes nothing at a first link",
        f"{RULES}/begin.py",
        "    if len(blank) == 1:  # a blank is nobody's decision\n        return blank[0].other\n",
        "",
        f"{BLANKS}::test_at_first_link_a_filled_value_fills_a_blank_one_under_every_rule",
    ),
    Guard(
        "a blank wipes nothing at a first link, on two databases",
        f"{RULES}/begin.py",
        "    if len(blank) == 1:  # a blank is nobody's decision\n        return blank[0].other\n",
        "",
        f"{ON_DATABASES}::test_employees_keep_their_mail_and_phone_in_dps_where_ajera_has_none",
    ),
    Guard(
        "a blank that nobody typed is not put back",
        f"{RULES}/judge.py",
        "    if guards.is_kept(link, pair, winner):\n",
        "    if False:\n",
        f"{BLANKS}::test_a_blank_that_nobody_typed_is_not_put_back_over_a_value_that_stayed",
    ),
    Guard(
        "who is billed: parked at a first link",
        f"{RULES}/begin.py",
        "    if pair.only_fills:\n        return None\n",
        "",
        f"{FILLS}::test_a_line_that_only_fills_parks_at_the_first_link_where_both_are_filled",
    ),
    Guard(
        "who is billed: never replaced later",
        f"{RULES}/judge.py",
        "    if guards.is_filled_already(link, pair):\n",
        "    if False:\n",
        f"{FILLS}::test_a_later_edit_never_replaces_a_value_on_a_line_that_only_fills",
    ),
    Guard(
        "DPS's own long name",
        "pipeline/domain/exchange.py",
        'if _is_long(long) else {"Name": value}',
        'if _is_long(long) else {"Name": value, "LongName": value}',
        f"{NAMES}::test_a_rename_leaves_dps_its_own_long_name",
    ),
    Guard(
        "a long name that was compared goes",
        "pipeline/domain/exchange.py",
        'return {"Name": value, "LongName": None} if _is_long(long) else',
        'return {"Name": value} if _is_long(long) else',
        f"{NAMES}::test_what_is_written_reads_back_as_it_is",
    ),
)
