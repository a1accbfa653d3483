"""The guards of the two-way exchange around its writes and its pairs,
in the form of tests/failures/without.py.
"""

from __future__ import annotations

from tests.failures.guard import Guard

RULES, ENGINE = "pipeline/conflicts", "pipeline/engine/exchange"
RECONCILE, SETTLE = (
    "tests/unit/conflicts/test_reconcile.py",
    "tests/unit/conflicts/test_settle.py",
)
ON_DATABASES = "tests/integration/test_exchange"
LINKING, PAIRS = f"{ON_DATABASES}_linking.py", f"{ON_DATABASES}_pairs.py"
DIFFICULT, STRAGGLER = (
    f"{ON_DATABASES}_guards.py",
    f"{ON_DATABASES}_straggler.py",
)
DELETED, BROUGHT = (
    f"{ON_DATABASES}_deleted.py",
    f"{ON_DATABASES}_brought.py",
)
CONTACTS, PROJECTS, COLLISIONS = (
    f"{ON_DATABASES}_{name}.py" for name in ("contacts", "projects", "rules")
)
TWO_CONSUMERS = f"{ON_DATABASES}_two_consumers.py"
INTERLEAVING = "tests/properties/test_exchange_interleaving.py"
RECEIVERS = f"{ON_DATABASES}_receivers.py"
DEATH = f"{ON_DATABASES}_crashes.py::test_a_death_at_any_commit_changes_nothing_of_how_it_ends"

WRITE_GUARDS = (
    # -- what is written ---------------------------------------------------------------------------
    Guard(
        "compare",
        f"{RULES}/guards.py",
        (
            "    return frozenset(\n"
            "        name for name, value in expected.items() if name in held and held[name] == "
            "value\n"
            "    )\n"
        ),
        "    return frozenset(expected)\n",
        f"{SETTLE}::test_only_lines_that_still_hold_what_was_expected_are_applicable",
    ),
    Guard(
        "compare, on two databases",
        f"{RULES}/guards.py",
        (
            "    return frozenset(\n"
            "        name for name, value in expected.items() if name in held and held[name] == "
            "value\n"
            "    )\n"
        ),
        "    return frozenset(expected)\n",
        f"{COLLISIONS}::test_an_edit_whose_event_has_not_come_is_not_overwritten",
    ),
    Guard(
        "lock before compare",
        f"{ENGINE}/apply_writes.py",
        "rows.read(table, keys, lock=True) if keys",
        "rows.read(table, keys) if keys",
        f"{DIFFICULT}::test_an_edit_that_is_being_committed_while_we_write_is_not_overwritten",
    ),
    Guard(
        "fence: a number that is taken",
        f"{ENGINE}/ajera_writer.py",
        "mine = [one for intention, one in by_intention.items() if intention in ours]",
        "mine = list(by_intention.values())",
        f"{STRAGGLER}::test_a_change_that_was_given_up_is_never_made",
    ),
    Guard(
        "fence: who settles takes the number",
        f"{ENGINE}/settlement.py",
        "fenced = unit.ajera.take(numbers)",
        "fenced = numbers.keys() - unit.ajera.recorded(numbers).keys()",
        f"{STRAGGLER}::test_a_row_that_another_process_created_meanwhile_is_not_created_again",
    ),
    Guard(
        "settle",
        f"{ENGINE}/pass_links.py",
        "        settle_open(unit, self._translations, ids)\n",
        "",
        f"{STRAGGLER}::test_one_that_is_not_too_late_is_believed",
    ),
    Guard(
        "only who decides a link gives its writes up",
        f"{ENGINE}/pass_links.py",
        "settle_open(unit, self._translations, ids)",
        "settle_open(unit, self._translations, ids | others)",
        (
            f"{ON_DATABASES}_overtaken.py"
            "::test_a_firm_whose_address_another_process_reads_meanwhile_is_created"
        ),
    ),
    Guard(
        "settled before it is decided",
        f"{RULES}/reconcile.py",
        "    if any(guards.open_numbers(link.side(each).pending) for each in SIDES):\n",
        "    if False:\n",
        f"{RECONCILE}::test_a_decision_without_the_look_it_needs_is_refused",
    ),
    Guard(
        "settle: what was carried out is adopted",
        f"{RULES}/settle.py",
        (
            "    return Applied(\n"
            "        number,\n"
            "        recorded.held,\n"
            "        recorded.after,\n"
            "        recorded.at,\n"
            "        recorded.key,\n"
            "        recorded.epoch,\n"
            "    )\n"
        ),
        "    return GivenUp(number)\n",
        f"{SETTLE}::test_an_intention_is_recalled_as_what_ajeras_table_says",
    ),
    Guard(
        "a row that we created is known by its key",
        f"{ENGINE}/pass_links.py",
        "        if side is Side.AJERA and keys - found.keys():\n",
        "        if False:\n",
        (
            f"{STRAGGLER}"
            "::test_the_events_of_a_row_created_by_a_straggler_come_before_its_outcome_is_known"
        ),
    ),
    Guard(
        "off",
        f"{RULES}/plan.py",
        "        elif side.other in link.off:\n            continue\n",
        "",
        f"{PAIRS}::test_what_is_typed_in_ajera_while_its_flag_is_off_waits_until_it_is_on",
    ),
    Guard(
        "off: an old event ticks no flag",
        f"{ENGINE}/reconcile_pass.py",
        "if event.row and not applied.is_stale(link.side(item.side).seen, event):",
        "if event.row:",
        f"{DIFFICULT}::test_an_old_event_that_is_read_again_ticks_no_flag",
    ),
    # -- how pairs begin and end -------------------------------------------------------------------
    Guard(
        "ended",
        f"{RULES}/guards.py",
        'pair that has ended."""\n    return link.state is State.ENDED\n',
        'pair that has ended."""\n    return False\n',
        f"{RECONCILE}::test_an_edit_that_crossed_the_delete_is_logged_once_and_a_later_one_is_not",
    ),
    Guard(
        "ended: brought back to life by a new row alone",
        f"{RULES}/guards.py",
        "return was_deleted and is_new",
        "return True",
        (
            f"{RECEIVERS}"
            "::test_a_namesake_that_stood_alone_does_not_get_the_row_whose_counterpart_was_deleted"
        ),
    ),
    Guard(
        "ended: nothing is made again for the row that stayed",
        f"{ENGINE}/linker.py",
        "            case Creates() if not self._is_survivor(entity, group.side, key):\n",
        "            case Creates():\n",
        f"{DELETED}::test_an_address_that_was_deleted_in_dps_is_not_made_again",
    ),
    Guard(
        "ended: the next row in its place follows",
        f"{ENGINE}/settlement.py",
        "for link in unit.ended if",
        "for link in unit.ended[:0] if",
        f"{DELETED}::test_after_the_first_invoice_group_is_deleted_the_next_lowest_gets_the_client",
    ),
    Guard(
        "ended: what hangs on a pair that is over begins once more",
        f"{ENGINE}/hanging.py",
        (
            "            return self.is_outlived(entity, item.side, link)\n        return "
            "self._has_moved"
        ),
        "            return False\n        return self._has_moved",
        f"{DELETED}::test_a_project_that_is_made_again_gets_its_client_and_contacts",
    ),
    Guard(
        "a row that was given to another parent leaves its pair",
        f"{ENGINE}/hanging.py",
        "return self._has_moved(entity, item, item.event, link)",
        "return False",
        f"{DELETED}::test_a_group_that_is_given_to_another_project_takes_no_client_along",
    ),
    Guard(
        "the lock of linking",
        f"{ENGINE}/linker.py",
        "        self._unit.links_of.hold_linking()\n",
        "",
        (
            f"{INTERLEAVING}"
            "::test_two_processes_that_begin_one_pair_from_both_sides_do_not_wait_for_each_other"
        ),
    ),
    Guard(
        "the lock of linking before places are counted",
        f"{ENGINE}/quota.py",
        "            self._unit.links_of.hold_linking()\n",
        "",
        f"{TWO_CONSUMERS}::test_the_last_place_of_a_firm_is_taken_once",
    ),
    Guard(
        "linked while we waited for that lock, or by this very round",
        f"{ENGINE}/linker.py",
        "taken = self._unit.linked_among(entity.name, side, items.keys())",
        "taken = set[str]()",
        f"{LINKING}::test_rows_of_one_name_whose_events_come_in_one_batch_are_linked_once",
    ),
    Guard(
        "one decision that writes for a pair and round",
        f"{ENGINE}/reconcile_pass.py",
        "        if any(link is not None and link.id in self._busy for _, link in pairs):\n",
        "        if False:\n",
        f"{PAIRS}::test_batches_of_any_size_come_to_the_same",
    ),
    Guard(
        "read before: a replay links no row that stood alone",
        f"{ENGINE}/unlinked.py",
        "or applied.is_stale(seen, item.event)",
        "",
        (
            f"{RECEIVERS}"
            "::test_a_namesake_that_stood_alone_does_not_get_the_row_whose_counterpart_was_deleted"
        ),
    ),
    Guard(
        "read before: a snapshot links no row that stood alone",
        f"{ENGINE}/unlinked.py",
        "item.event.is_snapshot or ",
        "",
        (
            f"{RECEIVERS}"
            "::test_a_namesake_that_stood_alone_does_not_get_the_row_whose_counterpart_was_deleted"
        ),
    ),
    Guard(
        "read before: what is read of a row that stands alone is remembered",
        f"{ENGINE}/settlement.py",
        "        unit.links_of.store_unlinked(unit.unlinked)\n",
        "        pass\n",
        "tests/properties/test_exchange_replay.py",
    ),
    Guard(
        "a counterpart whose own is gone is free",
        f"{ENGINE}/gone.py",
        "return {key for key, own in counterparts.items() if own in gone}",
        "return set()",
        (
            "tests/integration/test_exchange_rekeyed.py"
            "::test_a_client_that_was_typed_again_in_ajera_keeps_its_counterpart"
        ),
    ),
    Guard(
        "a counterpart whose own is gone is free: one that is there is not",
        f"{ENGINE}/gone.py",
        "gone = {own for own in counterparts.values() if own not in there}",
        "gone = set(counterparts.values())",
        (
            "tests/integration/test_exchange_rekeyed.py"
            "::test_a_namesake_of_a_row_that_is_there_is_a_row_of_its_own"
        ),
    ),
    Guard(
        "contacts full: a pair that ended makes room at once",
        f"{ENGINE}/quota.py",
        (
            "        return admit(\n"
            "            self._counted[entity.name, owner] - self._ended(entity, owner),\n"
            "            limit,\n"
            "        )\n"
        ),
        "        return admit(self._counted[entity.name, owner], limit)\n",
        (
            "tests/integration/test_exchange_rekeyed.py"
            "::test_five_contacts_under_new_keys_keep_their_counterparts"
        ),
    ),
    Guard(
        "two-way: sweep",
        f"{ENGINE}/sweep.py",
        "{one for key, one in keys.items() if key not in rows}",
        "set[str]()",
        (
            f"{DIFFICULT}"
            "::test_a_row_that_was_deleted_while_nobody_captured_ends_its_pair_and_no_other"
        ),
    ),
    Guard(
        "two-way: sweep ends no pair that is there",
        f"{ENGINE}/sweep.py",
        "{one for key, one in keys.items() if key not in rows}",
        "set(keys.values())",
        (
            f"{DIFFICULT}"
            "::test_a_row_that_was_deleted_while_nobody_captured_ends_its_pair_and_no_other"
        ),
    ),
    Guard(
        "two-way: sweep gives up no write of a pair that goes on",
        f"{ENGINE}/sweep.py",
        "settle_open(unit, translations, gone)",
        "settle_open(unit, translations, set(ids))",
        (
            f"{ON_DATABASES}_overtaken.py"
            "::test_an_edit_in_hand_while_another_process_sweeps_is_carried_over"
        ),
    ),
    Guard(
        "orphan",
        f"{ENGINE}/reconcile_pass.py",
        "        decision = self._again.without_orphan(entity, before, decision)\n",
        "",
        f"{DIFFICULT}::test_a_row_whose_parents_pair_ended_before_it_was_created_is_never_created",
    ),
    Guard(
        "children follow",
        f"{ENGINE}/reconciler.py",
        "queue.done(done.later + self._following(linked, attempt, refuse))",
        "queue.done(done.later)",
        f"{ON_DATABASES}_engine.py::test_a_client_made_in_ajera_is_made_in_dps_with_its_address",
    ),
    Guard(
        "no event overtakes another where a batch is bisected",
        "pipeline/engine/consumer/bisect.py",
        "self._left = [*batch, *self._left]",
        "self._left = [*batch[len(batch) // 2 :], *batch[: len(batch) // 2], *self._left]",
        (f"{DIFFICULT}::test_no_event_overtakes_another_of_its_row_where_a_batch_is_bisected"),
    ),
    Guard(
        "children follow when an old event comes again",
        f"{ENGINE}/reconcile_pass.py",
        "        if decision.reason is Reason.STALE:\n            self._touched.append(link.id)\n",
        "",
        f"{DEATH}[children_first]",
    ),
    Guard(
        "children follow when parked work is tried again",
        f"{ENGINE}/reconcile_pass.py",
        "        self._touched.append(link.id)\n        off = ",
        "        off = ",
        f"{DEATH}[woken]",
    ),
    Guard(
        "children follow when a refused creation is tried again",
        f"{ENGINE}/reconcile_pass.py",
        "            self._touched.append(link.id)\n        entity = self._setup",
        "            pass\n        entity = self._setup",
        f"{DEATH}[refused_in_ajera]",
    ),
    Guard(
        "a refused creation waits until what follows is done",
        f"{ENGINE}/settlement.py",
        "        unit.linked.append(settled.link)\n",
        "        unit.linked.append(settled.link)\n        unit.unparked.add(link_id(of))\n",
        f"{DEATH}[refused_in_dps]",
    ),
    Guard(
        "decided, and held until it is done",
        f"{ENGINE}/reconcile_pass.py",
        "            hold_decided(self._unit, item, before)\n",
        "            pass\n",
        "tests/integration/test_exchange_crashes.py"
        "::test_a_decision_whose_process_died_is_carried_out_by_one_that_runs",
    ),
    Guard(
        "the firm of a project is not made a second time",
        f"{ENGINE}/matching.py",
        "any(one in group.eligible or is_flagged(row)",
        "any(is_flagged(row)",
        f"{BROUGHT}::test_two_firms_of_one_name_that_projects_bring_are_parked",
    ),
    Guard(
        "contacts full",
        f"{RULES}/linking.py",
        (
            "    return (\n"
            "        Parks(ParkReason.CONTACTS_FULL, ParkReason.CONTACTS_FULL.hint)\n"
            "        if limit is not None and linked >= limit\n"
            "        else None\n"
            "    )\n"
        ),
        (
            "    return Parks(ParkReason.CONTACTS_FULL, ParkReason.CONTACTS_FULL.hint) if limit "
            "== -1 else None\n"
        ),
        f"{CONTACTS}::test_the_sixth_contact_of_a_firm_is_parked_until_there_is_room",
    ),
    Guard(
        "contacts full: those of the same round count",
        f"{ENGINE}/quota.py",
        "self._counted[entity.name, owner] += 1",
        "pass",
        f"{CONTACTS}::test_a_projects_contacts_go_to_ajera_five_at_most",
    ),
    Guard(
        "contacts full: asked when the firm becomes known or changes",
        f"{ENGINE}/quota.py",
        "if asked and self.full(entity, owner) is not None:",
        "if False:",
        f"{CONTACTS}::test_the_limit_is_asked_when_a_contacts_firm_becomes_known",
    ),
    Guard(
        "contacts full: asked again when one is ticked again",
        f"{ENGINE}/quota.py",
        "full = self.full(entity, owner)\n        if full is not None:",
        "full = self.full(entity, owner)\n        if full is not None and False:",
        f"{CONTACTS}::test_a_contact_that_is_unticked_makes_room_and_asks_again_when_it_is_ticked",
    ),
    Guard(
        "namesake not flagged",
        f"{RULES}/linking.py",
        "    if same and namesakes_park:\n",
        "    if False:\n",
        (
            f"{LINKING}"
            "::test_a_project_whose_namesake_is_not_flagged_is_parked_with_the_vendors_remedy"
        ),
    ),
    Guard(
        "several rows of the name",
        f"{ENGINE}/matching.py",
        (
            "        is_unsure = (\n"
            "            isinstance(found, Links) and paired is None and self._has_rivals(group, "
            "key, name)\n"
            "        )\n"
        ),
        "        is_unsure = False\n",
        f"{LINKING}::test_two_namesakes_are_parked_until_one_is_renamed",
    ),
    Guard(
        "key taken",
        f"{ENGINE}/apply_writes.py",
        (
            "            carried.outcomes[one.write.intention] = KeyTaken(one.write.number, "
            "rows.clock())\n"
        ),
        (
            "            written[one.write.intention] = one, table.key_text((one.new and "
            'one.new.key) or ("",)), ()\n'
        ),
        f"{PROJECTS}::test_a_number_that_is_taken_parks_the_project_until_it_gets_another_one",
    ),
    Guard(
        "key taken: said once",
        f"{RULES}/settle.py",
        (
            "    conflicts = (\n"
            "        () if link.obstacle is Obstacle.KEY_TAKEN else (about_row(link, "
            "Kind.INSERT_EXISTS, at),)\n"
            "    )\n"
        ),
        "    conflicts = () if False else (about_row(link, Kind.INSERT_EXISTS, at),)\n",
        f"{SETTLE}::test_a_key_that_is_taken_is_logged_once",
    ),
    Guard(
        "a key of the key table that was given before",
        "pipeline/database/systems/keys.py",
        "if new <= highest:",
        "if False:",
        (
            "tests/contracts/test_keys.py"
            "::test_a_key_that_was_given_before_is_refused_and_nothing_is_written"
        ),
    ),
    Guard(
        "the key table's row is locked",
        "pipeline/database/systems/keys.py",
        "self.next_counted(counter, table, Lock.UPDATE)",
        "self.next_counted(counter, table)",
        (
            "tests/unit/database/test_tsql.py"
            "::test_a_key_is_taken_under_a_lock_of_its_row_of_the_key_table"
        ),
    ),
)
