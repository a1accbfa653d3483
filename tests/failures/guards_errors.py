"""The guards of what errors say, and of how often a refusal is tried again, in the form of
tests/failures/without.py.
"""

from __future__ import annotations

from tests.failures.guard import Guard

CLASSIFY = "tests/unit/database/test_classify.py"
REFUSALS = "tests/unit/engine/test_refusals.py"

ERROR_GUARDS = (
    Guard(
        "what a function of the database raises is not repeated",
        "pipeline/database/sql/named.py",
        'raised = getattr(diagnosis, "source_function", None) == RAISED_BY_A_FUNCTION',
        "raised = False",
        f"{CLASSIFY}::test_postgresql_names_right_table_and_column",
    ),
    Guard(
        "a row's value is no failure to connect",
        "pipeline/database/sql/errors.py",
        "    if not place.at_statement and is_connecting(error):\n        if wants_tls",
        "    if is_connecting(error):\n        if wants_tls",
        f"{CLASSIFY}::test_a_rows_value_is_no_failure_to_connect",
    ),
    Guard(
        "a part of a password is no user",
        "pipeline/database/sql/address.py",
        "(\\{(?:[^}]|\\}\\})*\\}|[^;]*)",
        "([^;]*)",
        f"{CLASSIFY}::test_a_database_is_named_with_its_place_and_without_its_password",
    ),
    Guard(
        "a refusal is tried for a limited time",
        "pipeline/engine/consumer/retry.py",
        "return now - self._since < self._most_seconds",
        "return now - self._since < 10 * self._most_seconds + 1",
        (
            f"{REFUSALS}"
            "::test_a_refusal_that_lasts_ends_the_consumer_after_the_stated_time_and_few_tries"
        ),
    ),
    Guard(
        "few tries, so that no account is locked",
        "pipeline/engine/consumer/retry.py",
        "wait=lambda state: refusals.pause or self._pauses(state),",
        "wait=self._pauses,",
        (
            f"{REFUSALS}"
            "::test_a_refusal_that_lasts_ends_the_consumer_after_the_stated_time_and_few_tries"
        ),
    ),
    Guard(
        "a number is not cut",
        "pipeline/domain/exchange.py",
        (
            "    return (number,) if len(number) <= EMPLOYEE_NUMBER_LENGTH else "
            "ParkReason.NUMBER_TOO_LONG\n"
        ),
        "    return (number[:20],)\n",
        (
            "tests/integration/test_exchange_linking.py"
            "::test_a_number_that_dps_cannot_hold_whole_is_parked_and_not_cut"
        ),
    ),
    Guard(
        "the value of a client's setting is not shown",
        "pipeline/kafka/broker.py",
        "raise ConfigurationInvalid(_refused(str(error), settings)) from None",
        "raise ConfigurationInvalid(str(error)) from None",
        (
            "tests/unit/kafka/test_faults.py"
            "::test_a_setting_that_librdkafka_does_not_take_is_a_fault_of_the_configuration"
        ),
    ),
    Guard(
        "a library's line is not repeated",
        "pipeline/telemetry/folding.py",
        "        if said is not None and now - said.written_at < self._seconds:\n",
        "        if False:\n",
        (
            "tests/unit/telemetry/test_lines.py"
            "::test_an_hour_without_a_service_is_a_handful_of_lines"
        ),
    ),
)
