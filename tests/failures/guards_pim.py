"""The guards of what PIM shows of rows that hang on others,
in the form of tests/failures/without.py.
"""

from __future__ import annotations

from tests.failures.guard import Guard

MAPPING, ENGINE = "pipeline/mapping", "pipeline/engine"
RETIRED, CODES = (
    "tests/unit/engine/test_retired.py",
    "tests/unit/engine/test_codes.py",
)
HANGS = f"{RETIRED}::test_what_hangs_on_a_retired_project_changes_nothing_however_the_log_is_cut"

PIM_GUARDS = (
    Guard(
        "a project that became a phase keeps its values",
        f"{ENGINE}/projection/guard.py",
        "if table.member and before.values[table.member] and not _is_member(table, site, values):",
        "if False:",
        f"{RETIRED}::test_a_phase_that_was_a_project_is_not_written_and_a_project_again_it_is",
    ),
    Guard(
        "what changed after a retirement is not shown",
        f"{MAPPING}/neighbours.py",
        "if self.root.retired_at and row.changed_at > self.root.retired_at:",
        "if False:",
        HANGS,
    ),
    Guard(
        "what left after a retirement is remembered",
        f"{MAPPING}/neighbours.py",
        "        found = [*found, *(one for one in late if one not in found)]\n",
        "        del late\n",
        HANGS,
    ),
    Guard(
        "what was deleted after a retirement was there",
        f"{MAPPING}/neighbours.py",
        "if not row.deleted or row.retired_at > retired_at:",
        "if not row.deleted:",
        f"{RETIRED}::test_a_delete_that_is_read_before_the_earlier_one_of_its_project_is_made_good",
    ),
    Guard(
        "a delete marks what refers to the row",
        f"{ENGINE}/projection/guard.py",
        "        was[0] != after.deleted\n        or any(",
        "        any(",
        "tests/unit/engine/test_third_target.py"
        "::test_a_deleted_row_that_is_only_looked_up_leaves_what_other_rows_show_of_it",
    ),
    Guard(
        "a batch is cut at a retirement",
        f"{ENGINE}/projection/stage.py",
        "    events, batch.rest = until_retired(transaction, route, settings.site, events)\n",
        "",
        HANGS,
    ),
    Guard(
        "a row is told of an arrival only if it waits",
        f"{ENGINE}/projection/resolve.py",
        "_waiting(transaction, mapping, keys_of) if path.prefixes else keys_of",
        "keys_of",
        f"{RETIRED}::test_a_row_of_another_table_that_is_deleted_is_its_peoples_from_then_on",
    ),
    Guard(
        "codes avoid those that are typed",
        "pipeline/domain/codes.py",
        "return any(member.key != root.key and _is_there(member, root) for member in members)",
        "return False",
        f"{CODES}::test_codes_are_the_same_in_any_order_and_any_cut",
    ),
    Guard(
        "a group is told of its members",
        f"{ENGINE}/projection/guard.py",
        "        if joins or _differs(group, (old, unknown), (after.values, after.unknown)):\n",
        "        if old.get(group) != after.values.get(group):\n",
        f"{CODES}::test_codes_are_the_same_in_any_order_and_any_cut",
    ),
    Guard(
        "a retired project keeps its code",
        f"{ENGINE}/projection/unique.py",
        "elif key in kept and not any(held.get(one.casefold()) == key for one in possible[key]):",
        "elif key in kept:",
        f"{CODES}::test_a_retired_project_keeps_its_code_however_the_log_is_cut",
    ),
    Guard(
        "who waits for a code releases none",
        f"{ENGINE}/projection/unique.py",
        "if holder is not None and (holder in stuck or not self.moves_away(holder, key)):",
        "if holder is not None and not self.moves_away(holder, key):",
        f"{CODES}::test_a_project_that_waits_for_a_code_keeps_the_one_it_has",
    ),
    Guard(
        "a kind that is switched off is not waited for",
        f"{ENGINE}/projection/references.py",
        " == reference\n",
        "",
        (
            "tests/unit/engine/test_switched_off.py"
            "::test_a_contact_of_a_kind_that_is_off_does_not_wait"
        ),
    ),
)
