"""The guards of lines that are added, changed or removed while pairs are linked."""

from __future__ import annotations

from tests.failures.guard import Guard

RULES, ENGINE = "pipeline/conflicts", "pipeline/engine/exchange"
LINES = "tests/unit/conflicts/test_lines.py"
RECONCILE = "tests/unit/conflicts/test_reconcile.py"
ON_DATABASES = "tests/integration/test_exchange_added_line.py"

LINE_GUARDS = (
    Guard(
        "a line that a link does not know",
        f"{RULES}/known.py",
        "if compares(known.get(pair.name)) != compares(rules.fingerprints[pair.name])",
        "if compares(known.get(pair.name)) != compares(known.get(pair.name))",
        f"{LINES}::test_a_line_that_compares_another_column_is_looked_at_as_a_new_one",
    ),
    Guard(
        "lines of links that an earlier version stored",
        f"{RULES}/known.py",
        "if all(name in link_side.value for link_side in halves)",
        "if halves",
        f"{LINES}::test_a_link_of_an_earlier_version_knows_the_lines_of_which_it_has_both_values",
    ),
    Guard(
        "an image teaches no line",
        f"{RULES}/classify.py",
        "for name, value in shown.items() if name not in unknown}",
        "for name, value in shown.items()}",
        f"{RECONCILE}::test_an_image_alone_teaches_a_link_no_line_that_it_does_not_know",
    ),
    Guard(
        "nothing is decided of a line that is not known",
        f"{RULES}/reconcile.py",
        "    rules = of_known_lines(link, rules)\n",
        "",
        f"{LINES}::test_a_pair_whose_row_is_gone_learns_no_line_and_decides_nothing_of_it",
    ),
    Guard(
        "what is typed between the event and the look",
        f"{RULES}/lines.py",
        "observed={**link_side.observed, **found, **of_event},",
        "observed={**link_side.observed, **found},",
        f"{LINES}::test_an_edit_that_the_look_saw_counts_when_its_own_event_comes",
    ),
    Guard(
        "another comparison, and a removed line, are forgotten",
        f"{RULES}/lines.py",
        "    link, conflicts = forget_lines(link, gone | names, now)\n",
        "    link, conflicts = forget_lines(link, (), now)\n",
        f"{LINES}::test_a_removed_line_is_forgotten_and_what_waited_there_is_logged",
    ),
    Guard(
        "another rule takes effect",
        f"{RULES}/lines.py",
        "        elif known[pair.name] != rules.fingerprints[pair.name]:\n",
        "        elif pair.name in names:\n",
        f"{LINES}::test_another_rule_decides_what_the_former_one_left_to_a_person",
    ),
    Guard(
        "a line that begins to flow",
        f"{RULES}/lines.py",
        "    is_opened = bool(asking(rules.fingerprints[name]) - asking(before))\n",
        "    is_opened = False\n",
        f"{LINES}::test_a_line_that_begins_to_flow_carries_what_was_typed_later",
    ),
    Guard(
        "a line that begins to flow wipes nothing",
        f"{RULES}/lines.py",
        "    link = forget_blank_edits(link, pair)\n",
        "",
        f"{LINES}::test_a_line_that_begins_to_flow_wipes_nothing",
    ),
    Guard(
        "what a side asks for ends with the direction",
        f"{RULES}/lines.py",
        "        link = link.with_side(side, link.side(side).clean(name))\n",
        "        pass\n",
        f"{LINES}::test_what_a_side_asked_for_ends_with_the_direction_and_is_logged",
    ),
    Guard(
        "a suspended pair learns no line",
        f"{RULES}/lines.py",
        "    if knows_all(link, rules) or guards.is_suspended(link):\n",
        "    if knows_all(link, rules):\n",
        f"{LINES}::test_a_pair_that_exchanges_nothing_now_learns_no_line",
    ),
    Guard(
        "lines of a row that is being created",
        f"{RULES}/lines.py",
        "        return LinesUpdate(known_before(link, rules))\n",
        "        return LinesUpdate(replace(link, lines=rules.fingerprints))\n",
        f"{LINES}::test_a_row_that_is_being_created_knows_only_the_lines_that_did_not_change",
    ),
    Guard(
        "undone before the look",
        f"{RULES}/readings.py",
        "    if image == link_side.value[name]:\n        return at\n",
        "",
        f"{RECONCILE}::test_an_edit_that_was_undone_before_the_look_bears_its_own_time",
    ),
    Guard(
        "both rows of a pair with new lines are read",
        f"{ENGINE}/locked_rows.py",
        "if link.state is State.CREATING or link.id in has_new_lines:",
        "if link.state is State.CREATING:",
        f"{ON_DATABASES}::test_an_edit_beside_a_blank_is_carried_over_with_its_first_event",
    ),
    Guard(
        "no preference over what was just typed",
        f"{ENGINE}/locked_rows.py",
        "        return FirstLinkPolicy()\n",
        "        return policy\n",
        f"{ON_DATABASES}::test_the_edit_whose_event_comes_before_any_look_is_not_swallowed",
    ),
    Guard(
        "no pair with new lines waits for an event",
        f"{ENGINE}/processor.py",
        "        outdated = attempt(self._new_lines.page)\n",
        "        outdated: list[WorkItem] = []\n",
        f"{ON_DATABASES}::test_a_difference_that_nobody_edits_is_left_to_a_person",
    ),
    Guard(
        "a pair whose write is open is found at the next start",
        f"{RULES}/known.py",
        'return "" if is_open or link.lines is None',
        'return "" if link.lines is None',
        (
            f"{ON_DATABASES}"
            "::test_a_death_at_any_commit_between_the_look_and_its_write_changes_nothing"
        ),
    ),
)
