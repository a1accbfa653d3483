"""The guards of tables that others fill, too, in the form of tests/failures/without.py."""

from __future__ import annotations

from tests.failures.guard import Guard

TABLES = "pipeline/database/systems/target_tables.py"
FIXED = "tests/contracts/test_fixed_columns.py"
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
)
