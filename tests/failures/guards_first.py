"""The guards of the two-way exchange around first links, in the form of
tests/failures/without.py.
"""

from __future__ import annotations

from tests.failures.guard import Guard

RULES, UNIT = "pipeline/conflicts", "tests/unit/conflicts"
BLANKS, FILLS = f"{UNIT}/test_first_blanks.py", f"{UNIT}/test_only_fills.py"
ON_DATABASES = "tests/integration/test_exchange_first_blanks.py"
NAMES = "tests/unit/mapping/test_project_name.py"

DEATH = (
    "tests/integration/test_exchange_crashes.py"
    "::test_a_death_at_any_commit_changes_nothing_of_how_it_ends"
)
ENGINE, KINDS = (
    "pipeline/engine/exchange",
    "tests/integration/test_exchange_kinds.py",
)

FIRST_GUARDS = (
    Guard(
        "a blank wipes nothing at a first link",
        f"{RULES}/first.py",
        "    if len(blank) == 1:  # a blank is nobody's decision\n        return blank[0].other\n",
        "",
        f"{BLANKS}::test_at_first_link_a_filled_value_fills_a_blank_one_under_every_rule",
    ),
    Guard(
        "a blank wipes nothing at a first link, on two databases",
        f"{RULES}/first.py",
        "    if len(blank) == 1:  # a blank is nobody's decision\n        return blank[0].other\n",
        "",
        f"{ON_DATABASES}::test_employees_keep_their_mail_and_phone_in_dps_where_ajera_has_none",
    ),
    Guard(
        "a blank that nobody typed is not put back",
        f"{RULES}/decide.py",
        "    if guards.is_kept(link, pair, winner):\n",
        "    if False:\n",
        f"{BLANKS}::test_a_blank_that_nobody_typed_is_not_put_back_over_a_value_that_stayed",
    ),
    Guard(
        "who is billed: parked at a first link",
        f"{RULES}/first.py",
        "    if pair.only_fills:\n        return None\n",
        "",
        f"{FILLS}::test_a_line_that_only_fills_parks_at_the_first_link_where_both_are_filled",
    ),
    Guard(
        "who is billed: never replaced later",
        f"{RULES}/decide.py",
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
    Guard(
        "suspended while a row is not of its kind",
        f"{RULES}/reconcile.py",
        "if guards.is_ended(link) or guards.is_suspended(link):",
        "if guards.is_ended(link):",
        f"{KINDS}::test_a_firm_that_became_vendor_only_renames_the_client_no_more",
    ),
    Guard(
        "suspended with the pair that it hangs on",
        f"{ENGINE}/kinds.py",
        "out = link.out | {WITH_PARENT} if parent.out else link.out - {WITH_PARENT}",
        "out = link.out",
        f"{KINDS}::test_a_firm_that_became_vendor_only_renames_the_client_no_more",
    ),
    Guard(
        "of its kind when it is written",
        f"{ENGINE}/apply_writes.py",
        "settle.applicable(write, held[key], rules) if is_of_kind else {}",
        "settle.applicable(write, held[key], rules)",
        f"{KINDS}::test_a_former_primary_address_is_not_written_though_its_event_has_not_come",
    ),
    Guard(
        "a place is taken from a row that left it alone",
        f"{ENGINE}/kinds.py",
        "        if one in rows and not entity_side.belongs(rows[one], lists)\n",
        "        if one in rows\n",
        f"{KINDS}::test_an_address_that_becomes_the_primary_one_again_is_exchanged_again",
    ),
    Guard(
        "who takes a place knows the counterpart as it was known",
        f"{RULES}/begin.py",
        "link_side, kept = _link_side(found, rules, side), old.side(side.other)",
        (
            "link_side, kept = _link_side(found, rules, side), replace(old.side(side.other), "
            "dirty=frozenset(), edited_at={})"
        ),
        f"{KINDS}::test_a_former_primary_address_is_not_written_though_its_event_has_not_come",
    ),
    Guard(
        "the others of a parent are looked at when an old event comes again",
        f"{ENGINE}/reconcile_pass.py",
        "        self._offer(entity, item, link)\n",
        "",
        f"{DEATH}[place_taken]",
    ),
    Guard(
        "a firm that is client and vendor has one map",
        "pipeline/domain/exchange.py",
        'belongs=lambda row, _: row["VendorInd"] == YES and row["ClientInd"] != YES,',
        'belongs=lambda row, _: row["VendorInd"] == YES,',
        f"{KINDS}::test_a_firm_that_is_client_and_vendor_in_dps_belongs_to_the_clients_map_alone",
    ),
    Guard(
        "a firm that is client and vendor is not made a second time",
        f"{ENGINE}/matching.py",
        "if isinstance(found, Creates) and name in group.mixed:",
        "if False:",
        f"{KINDS}::test_a_firm_that_is_client_and_vendor_in_dps_belongs_to_the_clients_map_alone",
    ),
)
