"""The guards of the two-way exchange around what is not assumed for a firm: statuses, names,
who goes over.
"""

from __future__ import annotations

from tests.failures.guard import Guard

STATUS = "tests/integration/test_exchange_status.py"
CHOICE = "tests/integration/test_exchange_choice.py"
NAMES = "tests/unit/engine/test_names.py"
NAMESAKES = "tests/unit/conflicts/test_namesakes.py"

ASSUMED_GUARDS = (
    Guard(
        "no status without a coding",
        "pipeline/domain/status.py",
        "direction=Direction.NEITHER)",
        "direction=Direction.TO_DPS, to_dps=IN_DPS[entity](StatusCoding.ONE_IS_ACTIVE))",
        f"{STATUS}::test_a_row_made_in_dps_without_a_coding_is_in_use",
    ),
    Guard(
        "nothing begins before the choice",
        "pipeline/operations/link.py",
        "    require_choices(settings)\n",
        "",
        f"{CHOICE}::test_link_refuses_until_the_choice_is_stated_and_check_says_so",
    ),
    Guard(
        "who is not chosen is no counterpart",
        "pipeline/pairing/entity.py",
        "return self.belongs(row, lists) and self.may_begin(row)",
        "return self.belongs(row, lists)",
        f"{CHOICE}::test_one_that_is_gone_is_not_linked_with_a_namesake_from_either_side",
    ),
    Guard(
        "who has no time on a linked project is no counterpart",
        "pipeline/engine/exchange/time_entries.py",
        "    if entity_side.time is None:\n        return found\n",
        "    if entity_side is not None:\n        return found\n",
        f"{CHOICE}::test_one_without_time_is_not_linked_with_a_namesake_from_either_side",
    ),
    Guard(
        "names in DPS's form",
        "pipeline/engine/exchange/names.py",
        "pair.to_ajera(pair.to_dps(value))",
        "value",
        f"{NAMES}::test_a_person_is_the_same_in_the_forms_of_both_sides",
    ),
    Guard(
        "namesakes: each the other's best",
        "pipeline/conflicts/namesakes.py",
        " and _best(right[chosen], left) == key",
        "",
        f"{NAMESAKES}::test_who_is_found_by_another_row_is_not_taken_from_it",
    ),
)
