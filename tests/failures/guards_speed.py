"""The guards of what was made faster, in the form of tests/failures/without.py."""

from __future__ import annotations

from tests.failures.guard import Guard

COMPILED = "tests/unit/decoding/test_compiled.py"
DECODER = "pipeline/decoding/compiled.py"
DIRECT = "pipeline/engine/projection/direct.py"

SPEED_GUARDS = (
    Guard(
        "compiled reader: bytes left over",
        DECODER,
        '" if p != len(b): raise ValueError", ',
        "",
        f"{COMPILED}::test_random_bodies_are_read_as_fastavro_reads_them",
    ),
    Guard(
        "compiled reader: a number of more than 64 bits",
        DECODER,
        "            if n >> _BITS:\n                raise ValueError\n",
        "",
        f"{COMPILED}::test_random_bodies_are_read_as_fastavro_reads_them",
    ),
    Guard(
        "compiled reader: a negative length",
        DECODER,
        '"if n & 1: raise ValueError"',
        '"pass"',
        f"{COMPILED}::test_random_bodies_are_read_as_fastavro_reads_them",
    ),
    Guard(
        "compiled reader: a branch whose number takes two bytes",
        DECODER,
        "if not 0 < len(branches) <= _MOST_BRANCHES:",
        "if not branches:",
        f"{COMPILED}::test_a_branch_whose_number_takes_two_bytes_is_not_taken_for_another",
    ),
    Guard(
        "compiled reader: what is odd is asked of fastavro",
        "pipeline/decoding/plan.py",
        "            return slowly(body)\n",
        "            raise\n",
        "tests/unit/decoding/test_totality.py::test_every_cut_of_a_good_message_is_set_aside",
    ),
    Guard(
        "the message's key is compared with the row's",
        "pipeline/decoding/event.py",
        'if type(number) is int and key == b"%s%d}" % (plan.key_start, number):',
        "if type(number) is int:",
        "tests/unit/decoding/test_event.py::test_a_key_that_does_not_name_the_row_halts",
    ),
    Guard(
        "direct: a row whose parent is missing is left to the marks",
        DIRECT,
        "    result.left.update((one.root.table, one.root.key) for one in left)\n",
        "",
        "tests/properties/test_any_direct.py",
    ),
    Guard(
        "direct: a row with an unknown column is left to the marks",
        DIRECT,
        "        if root.unknown:\n",
        "        if False:\n",
        "tests/unit/engine/test_direct.py"
        "::test_a_column_that_was_never_sent_is_not_written_as_null",
    ),
    Guard(
        "direct: what is left keeps its mark",
        "pipeline/engine/projection/stage.py",
        " - written.left\n",
        "\n",
        "tests/properties/test_any_direct.py",
    ),
    Guard(
        "direct: a table that gives rows of another kind, too, is marked",
        DIRECT,
        "if kept and len(kept) == len(ours) and not source.member:",
        "if kept and not source.member:",
        "tests/unit/engine/test_direct.py"
        "::test_a_table_that_also_gives_rows_that_hang_on_others_is_marked",
    ),
    Guard(
        "direct: a value that would have to be cut is left to the marks",
        "pipeline/mapping/plain.py",
        "                if len(value) > line.longest:\n",
        "                if False:\n",
        "tests/unit/mapping/test_plain.py::test_a_plain_row_is_what_build_and_fit_give",
    ),
    Guard(
        "direct: what is read back is left to the marks",
        DIRECT,
        "                if one.target not in observed\n",
        "",
        "tests/unit/engine/test_direct.py::test_what_is_read_back_is_not_written_directly",
    ),
)
