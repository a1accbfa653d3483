"""The guards of what was made faster, in the form of tests/failures/without.py."""

from __future__ import annotations

from tests.failures.guard import Guard

COMPILED = "tests/unit/decoding/test_compiled.py"
DECODER = "pipeline/decoding/compiled.py"

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
)
