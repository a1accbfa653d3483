"""The guards of rows whose key a link gives, in the form of tests/failures/without.py."""

from __future__ import annotations

from tests.failures.guard import Guard

UNIT = "tests/unit/engine/test_linked_keys.py"
CONTRACT = "tests/contracts/test_linked_keys.py"
ANY = "tests/properties/test_any_links.py"
FOLLOWING = "pipeline/engine/projection/following.py"
CHANGED = "pipeline/database/state/changed_links.py"
LINKED = "pipeline/database/state/linked_keys.py"
TWIN = "tests/twins/linked.py"

LINKED_GUARDS = (
    Guard(
        "a pair that is not exchanged gives no key",
        "pipeline/conflicts/link.py",
        "if self.state is not State.LINKED or self.out or self.off:",
        "if self.state is not State.LINKED:",
        f"{CONTRACT}::test_a_link_gives_its_key_while_its_pair_is_exchanged",
    ),
    Guard(
        "a link stays as it is while its row is written",
        LINKED,
        'lock = dialect.select(self._link, _ID, ["document"], Lock.UPDATE)',
        'lock = dialect.select(self._link, _ID, ["document"], Lock.NONE)',
        f"{CONTRACT}::test_a_link_that_gave_a_key_does_not_change_until_the_transaction_ends",
    ),
    Guard(
        "a link stays as it is while its row is written, in memory",
        TWIN,
        "return [self._links.lock((one,), Strength.UPDATE) for one in sorted(ids)]",
        "return [self._links.get((one,)) for one in sorted(ids)]  # not locked",
        ANY,
    ),
    Guard(
        "who takes a change waits for whoever keeps it again",
        CHANGED,
        "self._session.dialect.merge(merge),",
        "self._session.dialect.insert_missing(self._change, _CHANGE, (_CHANGED_AT,)),",
        f"{CONTRACT}::test_a_change_that_is_kept_again_is_taken_after_its_transaction",
    ),
    Guard(
        "who takes a change waits for whoever keeps it again, in memory",
        TWIN,
        "            self._changes.claim(row)\n            self._changes.put(row, object())\n",
        "            if self._changes.get(row) is None:\n"
        "                self._changes.put(row, object())\n",
        ANY,
    ),
    Guard(
        "who begins to follow waits for links that are being stored",
        LINKED,
        '        self._session.tell("link", dialect.lock_table(self._link))\n',
        "",
        f"{CONTRACT}::test_who_begins_to_follow_waits_for_links_that_are_being_stored",
    ),
    Guard(
        "who begins to follow waits for links that are being stored, in memory",
        TWIN,
        "        self._lock_links()\n",
        "",
        ANY,
    ),
    Guard(
        "who follows is asked after the link is stored",
        "pipeline/database/pairs.py",
        "        self._links.store(links, now)\n"
        "        self._changed.stored((link for link, _ in links), now)\n",
        "        self._changed.stored((link for link, _ in links), now)\n"
        "        self._links.store(links, now)\n",
        (f"{CONTRACT}::test_who_stores_a_link_while_somebody_begins_to_follow_waits_and_finds_him"),
    ),
    Guard(
        "a row that lost its link is told",
        CHANGED,
        "            for keys in (was, now):\n",
        "            for keys in (now,):\n",
        f"{CONTRACT}::test_who_follows_links_is_told_once_which_rows_have_another_key",
    ),
    Guard(
        "a link of which nobody knows what it gave is told",
        CHANGED,
        "        if link.id not in before:\n",
        "        if link.id is None:\n",
        f"{CONTRACT}::test_a_link_that_was_stored_without_being_read_is_told",
    ),
    Guard(
        "who begins to follow marks every root",
        FOLLOWING,
        "    mark_roots(transaction, told, now)\n",
        "    del told\n",
        (
            f"{UNIT}"
            "::test_a_row_that_was_linked_before_anybody_followed_is_written_when_a_process_starts"
        ),
    ),
    Guard(
        "a change that is taken leaves a mark",
        FOLLOWING,
        "    transaction.mark(marks, now)\n",
        "",
        f"{UNIT}::test_who_dies_after_taking_a_change_leaves_a_mark_that_others_finish",
    ),
    Guard(
        "a link alone gives no row of what is not known",
        "pipeline/mapping/apply.py",
        (
            "        case LinkedKey() if not "
            "root.unknown.isdisjoint(graph.tables[mapping.source].table.key):\n"
            "            return False\n"
        ),
        "",
        (f"{UNIT}::test_a_row_of_which_only_the_delete_was_seen_gives_no_row_though_it_is_linked"),
    ),
    Guard(
        "a row that others deleted is not made again",
        "pipeline/engine/projection/recompute.py",
        "            rows = [(root, row) for root, row in rows if row.key[0] in there]\n",
        "            del there\n",
        f"{UNIT}::test_a_row_that_others_deleted_is_not_made_again",
    ),
)
