"""The guards around what a release adds or changes: columns, maps; in the form of
tests/failures/without.py.
"""

from __future__ import annotations

from tests.failures.guard import Guard

ENGINE, UNIT = "pipeline/engine/projection", "tests/unit/engine"
REMAPPING, ADDED = f"{UNIT}/test_remapping.py", f"{UNIT}/test_added_columns.py"
CONTRACT = "tests/contracts/test_added_columns.py"
APPLY, LEDGER = "pipeline/mapping/apply.py", "pipeline/database/state/ledger.py"
NEIGHBOURS = "pipeline/mapping/neighbours.py"
UPGRADE = (
    "tests/properties/test_any_upgrade.py"
    "::test_what_a_release_adds_blanks_nothing_loses_nothing_and_is_there_in_the_end"
)

ADDED_GUARDS = (
    Guard(
        "an older release leaves a newer one's maps",
        f"{ENGINE}/remapping.py",
        "if name in applied and not is_rollback and _is_older(release, applied[name].release)",
        "if False",
        f"{REMAPPING}::test_two_releases_side_by_side_do_not_undo_each_others_maps",
    ),
    Guard(
        "releases are compared as numbers",
        f"{ENGINE}/remapping.py",
        "return tuple(_numbers(release)) < tuple(_numbers(other))",
        "return release < other",
        f"{REMAPPING}::test_two_releases_side_by_side_do_not_undo_each_others_maps",
    ),
    Guard(
        "a map that was switched off is applied again",
        f"{ENGINE}/remapping.py",
        "        **dict.fromkeys(applied, OFF),\n",
        "",
        (
            f"{REMAPPING}"
            "::test_what_an_entity_missed_while_it_was_off_is_recomputed_when_it_is_on_again"
        ),
    ),
    Guard(
        "a map is known by what its functions refer to",
        "pipeline/mapping/canonical.py",
        'return ["builtin", name] if found is MISSING else self.of(found)',
        'return ["builtin", name]',
        "tests/unit/mapping/test_fingerprint.py::test_what_changes_a_value_changes_the_fingerprint",
    ),
    Guard(
        "an added column is unknown",
        LEDGER,
        'missing.union(str(unknown).split(",")) if unknown else missing,',
        'frozenset(str(unknown).split(",")) if unknown else frozenset(),',
        f"{CONTRACT}::test_a_column_that_was_added_is_unknown_in_every_row_that_is_there",
    ),
    Guard(
        "an added column is unknown in what the last release left",
        LEDGER,
        'missing.union(str(unknown).split(",")) if unknown else missing,',
        'frozenset(str(unknown).split(",")) if unknown else frozenset(),',
        "tests/upgrades/test_upgrade.py"
        "::test_an_upgrade_and_what_was_read_before_write_nothing_into_pim",
    ),
    Guard(
        "an added column is unknown, in any history",
        "tests/twins/ledger.py",
        "unknown=row.unknown | missing",
        "unknown=row.unknown",
        UPGRADE,
    ),
    Guard(
        "an added column that an older release wrote over is unknown again",
        LEDGER,
        "version if written_at == revision else 0",
        "version",
        f"{CONTRACT}::test_what_the_first_release_wrote_over_is_unknown_again",
    ),
    Guard(
        "an added column is known after a snapshot of a later epoch",
        "pipeline/database/state/mirrors.py",
        "known_epoch=max(epochs) + 1",
        "known_epoch=max(epochs)",
        f"{CONTRACT}::test_an_added_column_is_known_in_every_row_once_a_later_snapshot_was_read",
    ),
    Guard(
        "an added table is not loaded by an earlier snapshot",
        "pipeline/database/state/loads.py",
        "            if epoch < self._added.first_epoch(source.name):\n                continue\n",
        "",
        f"{CONTRACT}::test_a_table_that_was_added_is_not_loaded_by_what_was_captured_before",
    ),
    Guard(
        "an added table is not loaded by an earlier snapshot, in memory",
        "tests/twins/progress.py",
        "and epoch >= self._added.get((name, WHOLE_TABLE), 0)",
        "",
        f"{ADDED}::test_a_table_is_not_loaded_by_the_snapshot_that_did_not_hold_it",
    ),
    Guard(
        "an unknown value of another row is no null",
        NEIGHBOURS,
        "        self._refuse_changed(found)\n        return known(found)\n",
        "        self._refuse_changed(found)\n        return found\n",
        f"{ADDED}::test_what_another_row_shows_of_a_column_is_left_as_it_is",
    ),
    Guard(
        "nobody is looked up by a column that is not known in every row",
        NEIGHBOURS,
        "if (table, column) in self.unknown_columns:",
        "if False:",
        (
            f"{ADDED}"
            "::test_nobody_is_looked_up_by_a_column_before_a_new_snapshot_of_its_table_was_read"
        ),
    ),
    Guard(
        "a null that becomes known is a change",
        f"{ENGINE}/guard.py",
        "(old, unknown, *was) == (\n        after.values,\n        after.unknown,\n",
        "(old, *was) == (\n        after.values,\n",
        f"{ADDED}::test_a_null_that_becomes_known_is_written",
    ),
    Guard(
        "a null that becomes known is a change for other rows",
        f"{ENGINE}/guard.py",
        "before is None or _differs(column, (old, unknown), (after.values, after.unknown))",
        "before is None or old.get(column) != after.values.get(column)",
        f"{ADDED}::test_another_row_is_told_of_a_null_that_becomes_known",
    ),
    Guard(
        "rows of a table are decided again when its column is known",
        f"{ENGINE}/loading.py",
        " or mapping.source in new & added",
        "",
        (
            f"{ADDED}"
            "::test_rows_that_are_decided_together_are_decided_again_when_their_column_is_known"
        ),
    ),
    Guard(
        "a sticky column is filled in for certain alone",
        f"{ENGINE}/guard.py",
        "if computed and computed[0] not in (None, False):",
        "if computed:",
        f"{ADDED}::test_a_remembered_value_that_no_image_tells_is_left_as_it_is",
    ),
    Guard(
        "a row without a key gives no target row",
        APPLY,
        (
            "        case Derived(expression=expression) if not "
            "root.unknown.isdisjoint(expression.columns):\n            return False\n"
        ),
        "",
        f"{ADDED}::test_a_row_of_which_only_the_delete_was_seen_gives_no_target_row",
    ),
    Guard(
        "a required value that is unknown parks its row",
        f"{ENGINE}/recompute.py",
        "return _creatable(transaction, table, rows, done)",
        "return rows",
        (
            f"{ADDED}"
            "::test_a_row_that_cannot_be_created_without_an_unknown_value_waits_and_halts_nothing"
        ),
    ),
)
