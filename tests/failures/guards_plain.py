"""The guards of events that are decided at once, in the form of tests/failures/without.py."""

from __future__ import annotations

from tests.failures.guard import Guard

PLAIN = "pipeline/conflicts/plain.py"
BOTH = "tests/unit/conflicts/test_plain.py::test_what_is_decided_at_once_is_what_reconcile_decides"


def _plain(name: str, text: str, instead: str = "") -> Guard:
    return Guard(f"a plain event: {name}", PLAIN, text, instead, BOTH)


PASS = "pipeline/engine/exchange/plain_pass.py"
ROUND = "pipeline/engine/exchange/reconcile_pass.py"
OF_ROUNDS = "tests/unit/engine/test_plain_pass.py"


def _of_round(name: str, path: str, text: str, instead: str, test: str) -> Guard:
    return Guard(f"plain events of a round: {name}", path, text, instead, f"{OF_ROUNDS}::{test}")


PLAIN_GUARDS = (
    _plain("stale", "        or applied.is_stale(_seen(mine), event)\n"),
    _plain("nothing waits", "        or not _is_calm(document, mine, other)\n"),
    _plain(
        "a pair that is exchanged",
        'get("parked") or get("off") or get("out") or get("obstacle")',
        'get("parked")',
    ),
    _plain("all lines known", '        or document["lines"] != rules.fingerprints\n'),
    _plain(
        "whose place among our writes is known",
        "        if not _tells_its_place(one, event, rules):\n            return None\n",
        "        pass\n",
    ),
    _plain(
        "no write under way", '        or any(one["is_open"] for one in other.get("pending", ()))\n'
    ),
    _plain(
        "epoch of a write",
        " or after[:EPOCH_WIDTH] < event.position[:EPOCH_WIDTH]",
    ),
    _plain(
        "no write lately whose place is not known",
        'return event.committed_at > datetime.fromisoformat(write["at"]) + rules.look_window',
        "return True",
    ),
    _plain(
        "a line that was left and came back",
        " or shown != observed.get(name, shown)",
    ),
    _plain(
        "no edit that our write covered",
        'if shown == (held if write is None else value_in(write["expected"][name])):',
        "if False:",
    ),
    _plain("no agreement by coincidence", '        or name in document.get("coincident", ())\n'),
    _plain("no line that only fills", "        or pair.only_fills\n"),
    _plain("no line that the other side owns", "        or pair.owning_side is to\n"),
    _plain("a value with a counterpart", "        or not pair.can_translate(value, to)\n"),
    _plain("what differs", "    return not pair.agrees(ajera, dps)\n", "    return True\n"),
    _plain(
        "a write that was made whole",
        "    if held.keys() != write.values.keys():\n        return None\n",
    ),
    _of_round(
        "nothing of the row begins",
        PASS,
        (
            "                if may_begin(entity, item.side, event, self._translations.lists):\n"
            "                    return False\n"
        ),
        "",
        "test_the_first_address_of_a_linked_firm_is_made_though_its_edit_is_plain",
    ),
    _of_round(
        "a row that is ticked",
        PASS,
        "            entity_side.is_flagged(row)\n            and ",
        "            ",
        "test_what_is_typed_as_a_row_stops_being_exchanged_goes_nowhere[vecSyncToCRM]",
    ),
    _of_round(
        "a row that is of its kind",
        PASS,
        "            and entity_side.belongs(row, self._translations.lists)\n",
        "",
        "test_what_is_typed_as_a_row_stops_being_exchanged_goes_nowhere[vecIsClient]",
    ),
    _of_round(
        "a contact that counts for the firm that DPS shows",
        PASS,
        "bool(counts_for == (None if owner is None else str(owner)))",
        "True",
        "test_a_contact_whom_both_systems_give_another_firm_leaves_room_at_the_first",
    ),
    _of_round(
        "a contact whose firm is not edited",
        PASS,
        "not is_asked and ",
        "",
        "test_a_contact_that_leaves_its_firm_leaves_room_there_at_once",
    ),
    _of_round(
        "a row whose parent is exchanged",
        PASS,
        "            and (entity.parent is None or self._stays(entity, item, document))\n",
        "",
        "test_an_address_follows_its_firm_that_is_unticked[in one batch]",
    ),
    _of_round(
        "a parent that is ticked",
        PASS,
        'found.get("off") or found.get("out")',
        'found.get("out")',
        "test_an_address_follows_its_firm_though_whoever_noted_that_died[off]",
    ),
    _of_round(
        "a parent that is of its kind",
        PASS,
        'found.get("off") or found.get("out")',
        'found.get("off")',
        "test_an_address_follows_its_firm_though_whoever_noted_that_died[out]",
    ),
    _of_round(
        "a row whose key does not tell its parent",
        PASS,
        '            return document["of"] is None\n',
        "            return True\n",
        "test_an_invoice_group_that_goes_to_another_project_leaves_its_pair",
    ),
    _of_round(
        "a parent of which nothing else is decided",
        PASS,
        "self._general.isdisjoint(ids) and ",
        "",
        "test_an_address_follows_its_firm_that_is_unticked[in one batch]",
    ),
    _of_round(
        "a row all of whose pairs are asked",
        PASS,
        "        if len(found) < len(ids):\n            return False\n",
        "",
        "test_an_event_of_a_pair_that_is_not_exchanged_any_more_is_left_alone",
    ),
    _of_round(
        "none before another event of its link",
        PASS,
        "                or not general.isdisjoint(ids)\n",
        "",
        "test_a_row_that_was_deleted_and_made_again_in_one_batch_ends_its_pair",
    ),
    _of_round(
        "a link is opened as it was decided",
        ROUND,
        "        self._plain.open(ids | others)\n",
        "",
        "test_a_row_that_is_unticked_after_an_event_that_changes_nothing_stays_unticked",
    ),
    _of_round(
        "every link is opened before a pair begins",
        ROUND,
        "            self._plain.open_all()\n",
        "            pass\n",
        "test_a_row_that_was_made_again_under_another_key_takes_the_place_of_a_plain_event_s",
    ),
    _of_round(
        "a write in hand is not settled as one of a process that died",
        ROUND,
        "ids - self._plain.busy",
        "ids",
        "test_edits_of_one_row_in_one_batch_are_carried_over_one_after_the_other",
    ),
    _of_round(
        "a link that is written to waits for the next round",
        ROUND,
        "        self._busy.update(self._plain.busy)\n",
        "",
        "test_edits_of_one_row_in_one_batch_are_carried_over_one_after_the_other",
    ),
)
