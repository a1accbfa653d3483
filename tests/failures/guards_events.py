"""The guards of the two-way exchange that ask what an event tells,
in the form of tests/failures/without.py.
"""

from __future__ import annotations

from tests.failures.guard import Guard

RULES, ENGINE = "pipeline/conflicts", "pipeline/engine/exchange"
ALONE, RECONCILE = (
    "tests/unit/conflicts/test_guards.py",
    "tests/unit/conflicts/test_reconcile.py",
)
DIFFICULT, PAIRS = (
    "tests/integration/test_exchange_guards.py",
    "tests/integration/test_exchange_pairs.py",
)
LEFT = "tests/unit/engine/test_not_exchanged.py"
EVERY = "tests/unit/engine/test_every_configuration.py"

EVENT_GUARDS = (
    Guard(
        "two-way: position",
        "pipeline/model/applied.py",
        "    if event.position <= applied.position:\n        return True\n",
        "",
        f"{RECONCILE}::test_the_same_position_at_a_later_offset_is_stale",
    ),
    Guard(
        "two-way: offset within an incarnation and partition",
        "pipeline/model/applied.py",
        (
            "    return (\n"
            "        event.place.shares_partition_with(applied.place)\n"
            "        and event.place.offset <= applied.place.offset\n"
            "    )\n"
        ),
        "    return False\n",
        f"{ALONE}::test_a_newer_position_at_an_earlier_offset_of_the_same_partition_is_stale",
    ),
    Guard(
        "two-way: epoch",
        "pipeline/model/applied.py",
        "    if event.epoch < applied.epoch:\n        return True\n",
        "",
        f"{RECONCILE}::test_a_row_read_in_an_older_epoch_is_stale_wherever_it_is",
    ),
    Guard(
        "two-way: place of a row read by a snapshot",
        "pipeline/model/applied.py",
        "return not event.place.is_later_than(applied.place)",
        "return False",
        f"{RECONCILE}::test_a_snapshot_at_an_earlier_place_is_stale",
    ),
    Guard(
        "two-way: stale",
        f"{RULES}/reconcile.py",
        "    if applied.is_stale(link.side(side).seen, event):\n",
        "    if False:\n",
        f"{PAIRS}::test_reading_both_logs_again_under_live_edits_writes_nothing_but_those",
    ),
    Guard(
        "shadow",
        f"{RULES}/guards.py",
        "return after is not None and change_part(position, len(after)) <= after",
        "return False",
        f"{RECONCILE}::test_an_image_older_than_our_write_is_no_edit",
    ),
    Guard(
        "shadow: the change part, not the commit's",
        f"{RULES}/guards.py",
        "change_part(position, len(after)) <= after",
        "position[: len(after)] <= after",
        (
            f"{ALONE}"
            "::test_our_write_is_in_its_shadow_though_another_transaction_committed_before_it_did"
        ),
    ),
    Guard(
        "epoch of a write",
        f"{RULES}/guards.py",
        "return replace(pending, after=None) if is_older else pending",
        "return pending",
        f"{ALONE}::test_our_write_is_no_edit_in_the_log_of_a_capture_that_was_made_again_since",
    ),
    Guard(
        "before the last look",
        f"{RULES}/guards.py",
        "first = looks[-1] if looks else 0",
        "first = 0",
        f"{ALONE}::test_a_write_that_a_look_has_followed_explains_nothing_after_the_look",
    ),
    Guard(
        "look window",
        f"{RULES}/guards.py",
        "return pending.after is None and committed_at <= pending.at + window",
        "return False",
        f"{RECONCILE}::test_what_was_committed_before_the_look_is_not_taken_twice",
    ),
    Guard(
        "looked at before it is decided",
        f"{RULES}/reconcile.py",
        "    if looked is None and needs_look(link, event, rules):\n",
        "    if False:\n",
        f"{RECONCILE}::test_a_decision_without_the_look_it_needs_is_refused",
    ),
    Guard(
        "believed",
        f"{RULES}/guards.py",
        "return name in row and row[name] == image",
        "return True",
        f"{RECONCILE}::test_after_a_gap_what_the_row_holds_is_taken_and_an_older_image_is_not",
    ),
    Guard(
        "older than the look",
        f"{RULES}/guards.py",
        (
            "    return all(\n"
            "        pending.after is None\n"
            "        and (at >= pending.at or (pending.is_look and pending.values[name] == "
            "image))\n"
            "        for pending in covering\n"
            "    )\n"
        ),
        "    return all(True for pending in covering)\n",
        (
            f"{RECONCILE}"
            "::test_an_edit_that_crossed_the_delete_is_logged_also_while_images_are_checked"
        ),
    ),
    Guard(
        "changed after the look, whatever the clock says",
        f"{RULES}/classify.py",
        "guards.are_looks(covers) or guards.may_be_newer",
        "guards.may_be_newer",
        (
            "tests/integration/test_exchange_clock_set_back.py"
            "::test_an_edit_right_after_a_pair_began_is_carried_over"
        ),
    ),
    Guard(
        "edited after the look, whatever the clock says",
        f"{RULES}/readings.py",
        (
            "    return max(\n"
            "        [\n"
            "            at,\n"
            "            *(look.at for look in looks if look.values.get(name, image) != image),\n"
            "        ]\n"
            "    )\n"
        ),
        "    return at\n",
        (
            f"{RECONCILE}"
            "::test_a_row_that_holds_an_image_older_than_the_look_was_edited_after_the_look"
        ),
    ),
    Guard(
        "before the snapshot",
        f"{RULES}/guards.py",
        "        return at < seen.read_at\n",
        "        return False\n",
        (
            f"{ALONE}"
            "::test_what_was_committed_before_the_snapshot_read_the_row_tells_of_no_covered_edit"
        ),
    ),
    Guard(
        "after the snapshot",
        f"{RULES}/guards.py",
        "    if seen.read_at is not None:\n        return at < seen.read_at\n",
        "",
        f"{ALONE}::"
        "test_an_edit_undone_between_the_snapshots_reading_and_our_look_counts_with_its_time",
    ),
    Guard(
        "before the first look",
        f"{RULES}/guards.py",
        "return look is not None and look.values[name] != image",
        "return False",
        (
            f"{ALONE}"
            "::test_what_was_committed_before_the_first_look_at_the_row_tells_of_no_covered_edit"
        ),
    ),
    Guard(
        "hides an edit",
        f"{RULES}/guards.py",
        (
            "    return (\n"
            "        is_older\n"
            "        and name in pending.expected\n"
            "        and image == pending.expected[name]\n"
            "        and image != observed\n"
            "    )\n"
        ),
        "    return False\n",
        f"{RECONCILE}::test_an_edit_that_was_undone_before_we_saw_it_is_not_lost_under_our_write",
    ),
    Guard(
        "shown",
        f"{RULES}/guards.py",
        (
            "    return (\n"
            "        pending.after is None\n"
            "        and at >= pending.at\n"
            "        and image == pending.values[name]\n"
            "        and image != observed\n"
            "    )\n"
        ),
        "    return False\n",
        (
            f"{ALONE}"
            "::test_an_edit_between_two_writes_without_positions_is_covered_by_the_second_one"
        ),
    ),
    Guard(
        "overtaken: coincident",
        f"{RULES}/guards.py",
        (
            "    return (\n"
            "        rules.side_edited_last(pair, link.ajera.contended_at(name), "
            "link.dps.contended_at(name))\n"
            "        is not contender\n"
            "    )\n"
        ),
        "    return False\n",
        f"{RECONCILE}::test_a_coincident_value_still_competes_by_its_time",
    ),
    Guard(
        "overtaken: covered",
        f"{RULES}/guards.py",
        "if name not in link.coincident and (wanted is None or wanted.is_decided):",
        "if name not in link.coincident:",
        (f"{RECONCILE}::test_an_edit_undone_before_the_other_sides_edit_stays_covered_and_logged"),
    ),
    Guard(
        "unaware: coincident under MANUAL",
        f"{RULES}/guards.py",
        "return others is not None and (mine is None or mine <= others + rules.clock_tolerance)",
        "return False",
        (
            f"{RECONCILE}"
            "::test_a_text_under_manual_that_is_not_surely_later_than_the_other_sides_is_parked"
        ),
    ),
    Guard(
        "two-way: source rewound",
        f"{ENGINE}/reconcile_pass.py",
        "            raise Rewound(event)\n",
        "            pass\n",
        (
            f"{DIFFICULT}"
            "::test_a_log_that_was_rewound_halts_its_partition_and_nothing_is_written_from_there"
        ),
    ),
    Guard(
        "two-way: a table that no kind has below 8.09 has a side",
        f"{ENGINE}/processor.py",
        "self._side_of = setup.tables",
        "self._side_of = {e.side(s).table.name: s for e in setup.entities for s in Side}",
        f"{LEFT}::test_below_809_an_event_of_a_table_that_no_kind_has_is_left_alone[address]",
    ),
    Guard(
        "two-way: parked work of kinds that are exchanged",
        f"{ENGINE}/processor.py",
        " if one.entity in self._setup.names",
        "",
        f"{LEFT}::test_parked_work_of_a_kind_that_is_not_exchanged_any_more_stays_parked",
    ),
    Guard(
        "two-way: a link of a kind that is not exchanged refers to nothing",
        f"{ENGINE}/translate.py",
        "self._references.get(entity)",
        "self._references[entity]",
        (
            "tests/unit/engine/test_plain_pass.py"
            "::test_an_event_of_a_pair_that_is_not_exchanged_any_more_is_left_alone"
        ),
    ),
    Guard(
        "two-way: links of kinds that are not exchanged stay as they are",
        f"{ENGINE}/pass_links.py",
        "self._setup.exchanged(unit.links_of.opened(known))",
        "unit.links_of.opened(known)",
        (f"{LEFT}::test_a_write_left_open_of_a_kind_that_is_not_exchanged_any_more_stays_as_it_is"),
    ),
    Guard(
        "two-way: pairs of kinds that are not exchanged do not end",
        f"{ENGINE}/gone.py",
        "self._setup.exchanged(unit.links_of.links(ids - unit.links.keys()))",
        "unit.links_of.links(ids - unit.links.keys())",
        (
            f"{LEFT}"
            "::test_a_row_s_pair_of_a_kind_that_is_not_exchanged_any_more_does_not_end_with_the_others"
        ),
    ),
    Guard(
        "two-way: a decision about a kind that is exchanged",
        "pipeline/operations/conflicts.py",
        "    if known.entity not in setup.names:\n",
        "    if False:\n",
        f"{LEFT}::test_nothing_can_be_decided_about_a_pair_of_a_kind_that_is_not_exchanged",
    ),
    Guard(
        "two-way: lines by which rows are found stay below 8.09",
        "pipeline/domain/exchange.py",
        "below_two_way(changed, entity.found_by)",
        "below_two_way(changed)",
        f"{EVERY}::test_whatever_happens_to_a_row_of_any_table_ends[below 8.09, rule ajera]",
    ),
    Guard(
        "two-way: no rule changes a key",
        "pipeline/domain/exchange.py",
        "        _refuse_changed_keys(one, changed)\n",
        "",
        f"{EVERY}::test_a_rule_by_which_a_key_would_be_changed_is_refused",
    ),
)
