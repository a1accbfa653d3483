"""The guards of tables that others fill, too, in the form of tests/failures/without.py."""

from __future__ import annotations

from tests.failures.guard import Guard

TABLES = "pipeline/database/systems/target_tables.py"
FIXED = "tests/contracts/test_fixed_columns.py"

OWNED_GUARDS = (
    Guard(
        "a row of ours is told by what all of them hold",
        TABLES,
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
)
