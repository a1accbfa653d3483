"""The guards around what a release adds or changes: columns, maps; in the form of
tests/failures/without.py.
"""

from __future__ import annotations

from tests.failures.guard import Guard

ENGINE, UNIT = "pipeline/engine/projection", "tests/unit/engine"
REMAPPING = f"{UNIT}/test_remapping.py"

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
        "wanted = {**dict.fromkeys(applied, OFF), **map_fingerprints(route, site)}",
        "wanted = map_fingerprints(route, site)",
        f"{REMAPPING}::test_what_an_entity_missed_while_it_was_off_is_recomputed_when_it_is_on_again",
    ),
    Guard(
        "a map is known by what its functions refer to",
        "pipeline/mapping/canonical.py",
        'return ["builtin", name] if found is MISSING else self.of(found)',
        'return ["builtin", name]',
        "tests/unit/mapping/test_fingerprint.py::test_what_changes_a_value_changes_the_fingerprint",
    ),
)
