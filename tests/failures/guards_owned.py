"""The guards of tables that others fill, too, in the form of tests/failures/without.py."""

from __future__ import annotations

from tests.failures.guard import Guard

TABLES = "pipeline/database/systems/target_tables.py"
FIXED = "tests/contracts/test_fixed_columns.py"
ENGINE, PUT_BACK = "pipeline/engine/projection", "tests/unit/engine/test_put_back.py"
ANY_EDITS = "tests/properties/test_any_edits.py"
ADOPTED_ROWS = "pipeline/database/systems/adopted_rows.py"
ADOPTED = "tests/contracts/test_adopted_rows.py"

OWNED_GUARDS = (
    Guard(
        "a row of ours is told by what all of them hold",
        "pipeline/database/systems/target_names.py",
        """        return self.fields((*self.table.key, *self.table.fixed_names))

    def cells(self, key: Sequence[Value]) -> Cells:
        \"""The values of these.\"""
        return (*key, *self.table.fixed_values)
""",
        """        return self.fields(self.table.key)

    def cells(self, key: Sequence[Value]) -> Cells:
        \"""The values of these.\"""
        return (*key,)
""",
        f"{FIXED}::test_a_row_is_changed_and_the_rows_beside_it_are_not",
    ),
    Guard(
        "rows that others make are never made",
        TABLES,
        "if not names.table.is_others and names.table.required <= {*columns, *prefilled}:",
        "if names.table.required <= {*columns, *prefilled}:",
        f"{FIXED}::test_rows_that_others_make_are_never_made_whatever_is_known_of_them",
    ),
    Guard(
        "a row that is there is taken over, and no second one is made",
        ADOPTED_ROWS,
        "                found[place] = OwnedRow(one, is_adopted=True)\n",
        "",
        f"{ADOPTED}::test_a_row_that_is_there_is_taken_over_with_what_a_person_wrote_in_it",
    ),
    Guard(
        "a row that was taken over is not deleted",
        ADOPTED_ROWS,
        "[one.row_id for one in gone.values() if not one.is_adopted]",
        "[one.row_id for one in gone.values()]",
        f"{ADOPTED}::test_a_row_that_is_there_is_taken_over_with_what_a_person_wrote_in_it",
    ),
    Guard(
        "a row of ours is known whatever its key is",
        ADOPTED_ROWS,
        "held = self._rows.lock(table, {*known, *made.values()})",
        "held = self._rows.lock(table, ())",
        f"{ADOPTED}::test_a_row_of_ours_is_known_whatever_its_key_is_by_now",
    ),
    Guard(
        "a row of another parent is not taken over",
        ADOPTED_ROWS,
        "        taken |= self._taken(table, [one for ids in free.values() for one in ids])\n",
        "",
        f"{ADOPTED}::test_a_row_of_another_project_that_a_person_moved_here_is_not_taken_over",
    ),
    Guard(
        "of several rows of a key one stays ours",
        ADOPTED_ROWS,
        "            if ours is not None and ours.row_id in held:\n"
        "                found[place] = ours\n"
        "            elif made",
        "            if made",
        f"{ADOPTED}::test_of_several_rows_of_a_key_the_one_with_the_lowest_id_is_written",
    ),
    Guard(
        "an echo of ours recomputes nothing",
        f"{ENGINE}/observing.py",
        "elif event.operation is Operation.DELETE or last.differing(target, event.row):",
        "elif True:",
        f"{PUT_BACK}::test_our_own_writing_that_comes_back_recomputes_nothing",
    ),
    Guard(
        "an edit is put back by its event",
        f"{ENGINE}/observing.py",
        "elif event.operation is Operation.DELETE or last.differing(target, event.row):",
        "elif event.operation is Operation.DELETE:",
        f"{PUT_BACK}::test_a_persons_edit_of_a_column_that_we_own_is_put_back_and_counted_once",
    ),
    Guard(
        "a delete leads to its root",
        f"{ENGINE}/observing.py",
        "elif event.operation is Operation.DELETE or last.differing(target, event.row):",
        "elif last.differing(target, event.row):",
        f"{PUT_BACK}::test_a_row_of_the_team_that_a_person_deleted_is_made_again_and_counted",
    ),
    Guard(
        "events in two partitions are in no order",
        f"{ENGINE}/observing.py",
        "return event.key, event.place.incarnation, event.place.partition",
        "return event.key, 0, 0",
        f"{PUT_BACK}::test_an_old_echo_that_stands_in_another_partition_hides_no_edit",
    ),
    Guard(
        "an edit that was read leaves a mark",
        f"{ENGINE}/stage.py",
        "fresh = {pair for one in batch.events for pair in one.pairs}",
        "fresh = set[tuple[str, str]]()",
        f"{PUT_BACK}::test_who_dies_between_the_two_transactions_leaves_a_mark_that_others_finish",
    ),
    Guard(
        "what was written is remembered",
        f"{ENGINE}/put_back.py",
        "table.name, {key: one for key, one in now.items() if last.get(key) != one}",
        "table.name, {}",
        f"{PUT_BACK}::test_our_own_writing_that_comes_back_recomputes_nothing",
    ),
    Guard(
        "a row is remembered as it was after the write",
        f"{ENGINE}/put_back.py",
        "return transaction.written.held(table.name, given.keys())",
        "return held",
        f"{PUT_BACK}::test_our_own_writing_that_comes_back_recomputes_nothing",
    ),
    Guard(
        "who typed what the source says is not counted",
        f"{ENGINE}/put_back.py",
        "if as_text(table.column(name).kind, held[key][name])",
        "if True or as_text(table.column(name).kind, held[key][name])",
        f"{PUT_BACK}::test_who_types_what_ajera_says_by_now_is_not_put_back",
    ),
    Guard(
        "a row whose link ended is peoples",
        f"{ENGINE}/put_back.py",
        "if root in done.idle or (",
        "if False or (",
        f"{PUT_BACK}::test_a_row_whose_link_ended_is_peoples",
    ),
    Guard(
        "a row that others make anew is a new one",
        f"{ENGINE}/recompute.py",
        "            self._put_back.gone(transaction, table,"
        " {row.key[0] for _, row in rows} - there)\n",
        "",
        f"{PUT_BACK}::test_a_project_that_others_delete_and_make_again_is_a_new_row",
    ),
    Guard(
        "the other system's epoch ends no snapshot of ours",
        "pipeline/engine/consumer/batch.py",
        "if topic not in self.observed:",
        "if True:",
        f"{PUT_BACK}::test_what_the_other_system_says_of_its_snapshots_ends_none_of_ours",
    ),
    Guard(
        "a row is compared under its lock",
        "pipeline/database/systems/rows_by_id.py",
        "names.full_name, names.told_by, Lock.UPDATE,",
        "names.full_name, names.told_by, Lock.NONE,",
        "tests/contracts/test_written_rows.py"
        "::test_what_rows_hold_stays_so_until_the_transaction_ends",
    ),
    Guard(
        "a row is compared under its lock, in memory",
        "tests/twins/target_tables.py",
        "key: view.lock(self._key(table, key), Strength.UPDATE) for key in sorted({*keys})",
        "key: view.get(self._key(table, key)) for key in sorted({*keys})",
        ANY_EDITS,
    ),
    Guard(
        "what is left is forgotten",
        f"{ENGINE}/put_back.py",
        "        transaction.written.forget(table.name, adopted.left | adopted.lost)\n",
        "",
        ANY_EDITS,
    ),
    Guard(
        "a row that is given back keeps its key",
        f"{ENGINE}/children.py",
        "not_ours = {*table.key, *child.without(self.site)}",
        "not_ours = child.without(self.site)",
        "tests/unit/engine/test_tabs.py"
        "::test_a_team_row_that_a_person_made_is_taken_over_and_given_back",
    ),
    Guard(
        "a column that is switched off is peoples",
        f"{ENGINE}/put_back.py",
        "if name in table.by_name()}",
        "}",
        f"{PUT_BACK}::test_a_column_that_is_switched_off_is_peoples",
    ),
)
