"""Every error of the pipeline: a dotted code, a remedy, a hint for the operator,
and the exit code of a command that ends with it; and every reason for which a row waits.

`docs/reference/errors.md` is generated from this module. Row values never appear in a message:
tables, columns, keys' table names, offsets and codes do.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import ClassVar


class Remedy(StrEnum):
    """What the engine does about an error."""

    RETRY = "retry"  # transient: the same batch again, after a pause, without end
    # a service refuses us: a consumer that was running tries again for
    # `run.refused_retry_seconds`, everything else ends at once
    RETRY_FOR_A_WHILE = "retry for a while"
    PARK = "park"  # the row waits for another row, or for a person; the rows behind it continue
    DEAD_LETTER = (
        "dead letter"  # this message can never be processed: dead-lettered with its coordinates
    )
    HALT = "halt"  # going on could lose or spoil rows: stop this table (or the process) and say why


class ExitCode(IntEnum):
    """Exit codes of every command."""

    OK = 0
    RUNTIME = 1
    USAGE = 2  # wrong arguments or configuration
    ENVIRONMENT = 3  # something that the command needs is missing or unavailable
    DEGRADED = 4  # `status`, `lag`: something is wrong that may end by itself
    HALTED = 5  # `status`: something is wrong that does not end without a person


class ParkReason(StrEnum):
    """Why a row, or one line of a pair, waits: its code, what that means, and what ends it.

    The codes of errors whose remedy is to park (`mapping.value`, `target.rejected`, ...) say it of
    a row, too; they are among the errors below.
    """

    meaning: str
    hint: str

    def __new__(cls, code: str, meaning: str, hint: str) -> ParkReason:
        reason = str.__new__(cls, code)
        reason._value_ = code
        reason.meaning = meaning
        reason.hint = hint
        return reason

    ROW_MISSING = (
        "row.missing",
        "A row of another table that it refers to has not arrived.",
        (
            "It continues by itself when that row arrives; if it never does, the reference in the "
            "source is wrong."
        ),
    )
    VALUE_TAKEN = (
        "target.taken",
        "Another row of the target holds the unique value.",
        "Change it there or in the source.",
    )
    VALUE_UNKNOWN = (
        "column.unknown",
        "The target requires a value to create the row, and its source column was added since.",
        (
            "It continues by itself when the row changes in the source; for all such rows take a "
            "new snapshot: `ajera-cdc connectors remove`, then `connectors apply`."
        ),
    )
    AMBIGUOUS_MATCH = (
        "exchange.ambiguous_match",
        "Several rows of the other side carry the name, and no further key tells them apart.",
        "Several rows carry that name: rename all but one, or link the pair by key.",
    )
    NAMESAKE_NOT_FLAGGED = (
        "exchange.namesake_not_flagged",
        "The project is in Ajera, and not set to be exchanged.",
        (
            "A project of that name is in Ajera, but not set to be exchanged. Tick Sync to CRM on"
            " it in the Project Command Center (the vendor's \"Map unsynced Ajera projects to "
            'existing CRM projects"), or rename one of the two.'
        ),
    )
    CLIENT_AND_VENDOR = (
        "exchange.client_and_vendor",
        "One firm in DPS is client and vendor, and Ajera has a vendor of its name.",
        (
            "The firm of that name in DPS is client and vendor, and is exchanged as a client. "
            "Make two firms of it: untick Vendor on it, or give the vendor a firm of its own."
        ),
    )
    CONTACTS_FULL = (
        "exchange.contacts_full",
        "As many contacts of that firm or project as allowed are exchanged already.",
        (
            "Untick Ajera Sync on one of the linked contacts, or raise the limit if this DPS "
            "version allows more."
        ),
    )
    NO_PROJECT_NUMBER = (
        "exchange.no_project_number",
        "DPS demands a number, and the project has none.",
        (
            "Give the project a Project ID in Ajera, or set `routes.dps.project_number` "
            "(auto-numbering)."
        ),
    )
    NO_EMPLOYEE_NUMBER = (
        "exchange.no_employee_number",
        "DPS demands a number, and the employee has none.",
        "Set `routes.dps.employee_number` (employee auto-numbering), for example E{key}.",
    )
    NUMBER_TOO_LONG = (
        "exchange.number_too_long",
        "The number that it would get in DPS is longer than DPS holds; cut, it could be another's.",
        (
            "DPS holds 20 characters of an employee's number and 30 of a project's: shorten the "
            "Project ID in Ajera, or `routes.dps.employee_number` or `routes.dps.project_number`."
        ),
    )
    TEMPLATE_MISSING = (
        "exchange.template_missing",
        "Ajera has no project template of the name that DPS shows.",
        (
            "Give the Ajera project template the name that the template list in DPS shows, or "
            "choose another one."
        ),
    )
    TYPE_MISSING = (
        "exchange.type_missing",
        "The other side's list has no entry of that description.",
        "Add an entry of the same description to that list on the other side.",
    )
    REFERENCE_MISSING = (
        "exchange.reference_missing",
        "It refers to a row that is not exchanged.",
        (
            "It is created or linked as soon as the row it refers to is exchanged: tick that "
            "row's flag."
        ),
    )
    REQUIRED_MISSING = (
        "exchange.required_missing",
        "The row lacks what the other system requires, such as a name.",
        "Fill in the field that the other system requires.",
    )
    COUNTERPART_DELETED = (
        "exchange.counterpart_deleted",
        "Its counterpart was deleted by somebody.",
        (
            "Its counterpart was deleted and is not made again; a consumer looks for the next row "
            "in its place."
        ),
    )
    NOT_A_CLIENT = (
        "exchange.not_a_client",
        "A project's firm is not a client.",
        "The firm is not a client: tick Client on it in DPS, or give the project another firm.",
    )
    KEY_TAKEN = (
        "exchange.key_taken",
        "The row to be created is there already, and is not ours.",
        (
            "The row to be created is there already and is not ours: give one of the two another "
            "number."
        ),
    )
    DECIDED = (
        "exchange.decided",
        "A person's decision is being carried out.",
        "A person's decision is being carried out: a consumer finishes it if the process died.",
    )
    FIRST_LINK = (
        "exchange.first_link",
        (
            "A line of two rows that were linked for the first time differs, and no rule says who"
            " wins."
        ),
        "Decide it: `ajera-cdc conflicts resolve`.",
    )
    BOTH_EDITED = (
        "exchange.update_origin_differs",
        "A line was edited on both sides, and its rule leaves it to a person.",
        "Decide it: `ajera-cdc conflicts resolve`.",
    )
    FILLED_ALREADY = (
        "exchange.filled_already",
        "The line only fills blanks, and another value is there.",
        "Decide it: `ajera-cdc conflicts resolve`.",
    )


def hint_of(code: str) -> str:
    """What a person does about what waits with this code; "" for a code of another version."""
    error = error_of(code)
    reasons = {reason.value: reason.hint for reason in ParkReason}
    return reasons.get(code, "" if error is None else error.hint)


def error_of(code: str) -> type[PipelineError] | None:
    """The error that has this code; None for a reason to park, and a code of another version."""
    return next((one for one in PipelineError.__subclasses__() if one.code == code), None)


def meanings() -> dict[str, str]:
    """What each code means: of every error, and of every reason to park."""
    found = {reason.value: reason.meaning for reason in ParkReason}
    for error in PipelineError.__subclasses__():
        if error.__module__ == __name__:
            found[error.code] = " ".join((error.__doc__ or "").split())
    return found


class PipelineError(Exception):
    """Base of all errors: `code` and `remedy` are fixed for a class, the message says which place,
    the hint what to do.
    """

    code: ClassVar[str]
    remedy: ClassVar[Remedy] = Remedy.HALT
    hint: ClassVar[str] = ""
    exit_code: ClassVar[ExitCode] = ExitCode.RUNTIME

    @property
    def is_transient(self) -> bool:
        """May the same call succeed later, without a change of ours."""
        return self.remedy in (Remedy.RETRY, Remedy.RETRY_FOR_A_WHILE)

    @property
    def sentence(self) -> str:
        """One line for the operator: code, message and what to do."""
        text = f"{self.code}: {self}"
        return f"{text} {self.hint}" if self.hint else text


class ConfigurationInvalid(PipelineError):
    """The configuration file or the environment holds faults;
    the message lists all of them at once.
    """

    code = "config.invalid"
    hint = "Correct each of the lines named, then run `ajera-cdc config show`."
    exit_code = ExitCode.USAGE


class ChoiceMissing(PipelineError):
    """Which employees and consultants go to DPS is not stated:
    a first link would bring over everybody ever employed.
    """

    code = "config.choice_missing"
    hint = (
        "Set them to all, active, on_linked_projects or none; `ajera-cdc check` counts how many "
        "each would be."
    )
    exit_code = ExitCode.USAGE


class TimeUnreadable(PipelineError):
    """Employees or consultants are chosen by their time on linked projects,
    and AxTransaction cannot be read.
    """

    code = "config.time_unreadable"
    hint = (
        "Grant SELECT on it, name it under [source.AxTransaction] in the site profile,"
        " or choose all, active or none."
    )
    exit_code = ExitCode.USAGE


class EditionUnsupported(PipelineError):
    """Deltek offers the PIM integration in full Ajera only (S-PIM, first line)."""

    code = "config.edition"
    hint = (
        "The PIM integration is not available in ajeraCore or ajeraCore + add-ons; set "
        "`sources.ajera.edition` only if this firm runs full Ajera."
    )
    exit_code = ExitCode.USAGE


class AjeraVersionInvalid(PipelineError):
    """The version of Ajera is not numbers with dots between them."""

    code = "config.version"
    hint = "Set `sources.ajera.version` to what Ajera shows under Help > About, such as 9.08."
    exit_code = ExitCode.USAGE


class ProfileInvalid(PipelineError):
    """The site profile names a table or column that no mapping knows,
    or renames two things to the same name.
    """

    code = "config.profile"
    hint = "`ajera-cdc mappings show` prints the names that a profile can change."
    exit_code = ExitCode.USAGE


class UsageError(PipelineError):
    """A command was given arguments that do not fit together."""

    code = "cli.usage"
    exit_code = ExitCode.USAGE


class ServiceUnreachable(PipelineError):
    """Kafka, the registry, Connect or a database does not answer."""

    code = "environment.unreachable"
    remedy = Remedy.RETRY
    hint = (
        "Check that it runs, its host and port in the settings, and the firewall; "
        "`ajera-cdc check` tries each service in turn."
    )
    exit_code = ExitCode.ENVIRONMENT


class HostUnknown(PipelineError):
    """No host of the name in a service's address is known."""

    code = "environment.host"
    remedy = Remedy.RETRY_FOR_A_WHILE
    hint = (
        "Correct the host in the settings (`ajera-cdc config show` prints them), or the name "
        "service; `ajera-cdc check` tries each service in turn."
    )
    exit_code = ExitCode.ENVIRONMENT


class CredentialsRefused(PipelineError):
    """A service does not accept the user, the password, key or token that it was given."""

    code = "environment.credentials"
    remedy = Remedy.RETRY_FOR_A_WHILE
    hint = (
        "Correct user and password in the settings or the environment (`ajera-cdc config show` "
        "prints which are set, not what they are); `ajera-cdc check` tries each service in turn."
    )
    exit_code = ExitCode.ENVIRONMENT


class DatabaseMissing(PipelineError):
    """The server answers, and has no database of that name, or does not open it for this user."""

    code = "environment.database"
    remedy = Remedy.RETRY_FOR_A_WHILE
    hint = (
        "Correct the database's name at the end of its URL in the settings, or let the user "
        "connect to it; `ajera-cdc check` tries each service in turn."
    )
    exit_code = ExitCode.ENVIRONMENT


class TlsRefused(PipelineError):
    """The two ends do not agree on encryption: the server takes none, demands it,
    or its certificate is not trusted.
    """

    code = "environment.tls"
    remedy = Remedy.RETRY_FOR_A_WHILE
    hint = (
        "Set what the server offers: `sslmode` and `sslrootcert` in a PostgreSQL URL, `Encrypt` "
        "and `TrustServerCertificate` in one of SQL Server, `security.protocol` and "
        "`ssl.ca.location` under [kafka.client]; `ajera-cdc check` tries each service in turn."
    )
    exit_code = ExitCode.ENVIRONMENT


class ConnectionsExhausted(PipelineError):
    """The server takes no further connection, of anybody or of this user."""

    code = "environment.connections"
    remedy = Remedy.RETRY
    hint = (
        "Close what holds connections, or raise the server's limit or this user's; each consumer "
        "needs a few. `ajera-cdc check` tries each service in turn."
    )
    exit_code = ExitCode.ENVIRONMENT


class DriverMissing(PipelineError):
    """A database driver or its system library cannot be loaded."""

    code = "environment.driver"
    hint = (
        "PostgreSQL needs `pip install 'psycopg[binary]'`. "
        "SQL Server needs the driver manager unixODBC (on Debian `apt-get install unixodbc`, "
        "which brings libodbc.so.2 and libltdl.so.7) and Microsoft's ODBC driver 18, which `pip "
        "install mssql-python-odbc` brings; on Windows "
        "install it with Microsoft's installer. If its file is there, `ldd` on it names the "
        "library that is missing."
    )
    exit_code = ExitCode.ENVIRONMENT


class DriverUnsupported(PipelineError):
    """An ODBC driver that is not Microsoft's, or older than 18."""

    code = "environment.driver_unsupported"
    hint = (
        "Use Microsoft's ODBC driver 18, which is taken where the address names no `driver`. "
        "After an error that rolled a transaction back, FreeTDS fails at its ROLLBACK (3903) and "
        "later statements run outside a transaction; "
        "drivers before 18 send long texts as ntext, which some databases refuse (4189)."
    )
    exit_code = ExitCode.ENVIRONMENT


class SyncSchemaOutdated(PipelineError):
    """The `sync` schema of the target database is missing or
    not at the version this program needs.
    """

    code = "schema.outdated"
    hint = "Run `ajera-cdc schema upgrade` with a user that may create tables."
    exit_code = ExitCode.ENVIRONMENT


class TargetMismatch(PipelineError):
    """A table or column of the target that a mapping writes does not exist."""

    code = "schema.target"
    hint = (
        "Correct the site profile's names, or the target database; `ajera-cdc check` lists every "
        "difference."
    )
    exit_code = ExitCode.ENVIRONMENT


class RightMissing(PipelineError):
    """The database's user lacks a right on a table, column, schema or the database."""

    code = "schema.rights"
    hint = (
        "`ajera-cdc check` prints the GRANT statements that are missing; run them: the consumer "
        "tries again by itself."
    )
    exit_code = ExitCode.ENVIRONMENT


class TableMissing(PipelineError):
    """A table, column or schema that a statement names is not in the database (any more)."""

    code = "schema.missing"
    hint = (
        "`ajera-cdc check` lists every table and column that differs; undo the change, which the "
        "consumer sees by itself, or give the new names in the site profile and restart it."
    )
    exit_code = ExitCode.ENVIRONMENT


class MessageMalformed(PipelineError):
    """The bytes of a message are not Avro in the Confluent wire format,
    or not what its writer schema says.
    """

    code = "decode.malformed"
    remedy = Remedy.DEAD_LETTER
    hint = "Nothing but the connector should write to this topic; look at the dead letter's bytes."


class MetadataMissing(PipelineError):
    """A message lacks what the pipeline orders events by (operation, sequence, epoch),
    or its key does not name the row.
    """

    code = "decode.metadata"
    hint = "The connector was not created by `ajera-cdc connectors apply`: apply it again."


class ContractBroken(PipelineError):
    """A column that a mapping needs is missing in the writer schema, or has another type."""

    code = "decode.contract"
    hint = (
        "Correct the source table, or name the column in the site profile and restart. Messages of "
        "the time between keep the old schema: `ajera-cdc skip` leaves them out and names their "
        "rows for a backfill; after a new snapshot (`ajera-cdc connectors remove`, `apply`) they "
        "are skipped by themselves."
    )


class SourceTruncated(PipelineError):
    """A captured table was truncated: rows vanished without an event each."""

    code = "decode.truncate"
    hint = (
        "SQL Server refuses TRUNCATE on a captured table. Take a new snapshot (`ajera-cdc "
        "connectors remove`, then `apply`): rows that are gone are swept from the target."
    )


class SchemaUnknown(PipelineError):
    """The registry does not know the schema id of a message."""

    code = "registry.unknown"
    remedy = Remedy.RETRY
    hint = (
        "The registry lost its schemas, or the program asks another registry than the connector: "
        "check `registry.url`."
    )


class SchemaLost(PipelineError):
    """The registry has not known the schema id of a message for
    longer than `registry.unknown_schema_timeout_seconds`.
    """

    code = "registry.lost"
    hint = (
        "The messages stay in Kafka. Restore the registry's schemas, or, if they are gone for "
        "good, let the connector register them again (`ajera-cdc connectors restart --running`), "
        "`ajera-cdc skip` the messages, and backfill the table."
    )


class CircuitOpen(PipelineError):
    """Too many messages of a partition could not be processed:
    more would drain the topic into dead letters.
    """

    code = "kafka.circuit_open"
    hint = (
        "Stop whoever writes such messages. `ajera-cdc skip` lets the consumers leave them out and "
        "names their rows for a backfill. "
        "`run.max_consecutive_dead_letters` and `run.max_dead_letter_ratio` are the limits."
    )


class ParkedTooMany(PipelineError):
    """More rows wait than `run.parked_limit` allows:
    something is wrong that no single row explains.
    """

    code = "park.limit"
    hint = (
        "`ajera-cdc status` shows what they wait for. What is corrected in the target is tried by "
        "itself; for what is corrected in the source raise the limit and restart: no event is read "
        "meanwhile."
    )


class RegistryUnavailable(PipelineError):
    """The schema registry does not answer, or answers with a server error."""

    code = "registry.unavailable"
    remedy = Remedy.RETRY
    hint = "Messages wait in Kafka and are read when the registry answers again."
    exit_code = ExitCode.ENVIRONMENT


class ValueRefused(PipelineError):
    """A source value that a mapping line cannot turn into the target's: an unknown code, say."""

    code = "mapping.value"
    remedy = Remedy.PARK
    hint = (
        "The row waits, the others continue; extend the list in the site profile or correct the "
        "row in Ajera."
    )


class TargetBusy(PipelineError):
    """A database is too slow, or ended our transaction or our connection (deadlock,
    serialization, shutting down, fail-over).
    """

    code = "target.busy"
    remedy = Remedy.RETRY
    hint = "It is tried again until it succeeds; partitions are paused meanwhile."
    exit_code = ExitCode.ENVIRONMENT


class ConcurrentWrite(PipelineError):
    """Another process changed a ledger row between our reading and our writing of it."""

    code = "target.concurrent"
    remedy = Remedy.RETRY
    hint = (
        "Harmless: the batch is tried again. If it repeats, two consumer groups write the same "
        "target."
    )


class TargetRefused(PipelineError):
    """The target database refused a statement for a reason that trying again does not change."""

    code = "target.refused"
    hint = (
        "The message names the database's own error number; `ajera-cdc check` looks at tables and "
        "rights. The table is left alone and tried again by itself; the others continue."
    )


# A statement about one table was refused, whatever its rows hold: that table is left alone and
# tried again after a while, the others continue.
TABLE_REFUSED = (RightMissing, TableMissing, TargetRefused)


class TargetRestored(PipelineError):
    """The target went back to an earlier state under a running consumer,
    which had read on from where it was.
    """

    code = "target.restored"
    hint = (
        "Nothing is lost and nothing needs to be done: the consumer reads again what the restored "
        "database lacks, and says when it has caught up."
    )


class LinksRestored(PipelineError):
    """The DPS database went back to an earlier state under a running consumer: its links are older
    than Ajera, which knows writes of ours that they do not.
    """

    code = "exchange.restored"
    hint = (
        "Nothing is read or written until you decide. Stop the consumers; `ajera-cdc connectors "
        "remove --source dps`, delete the topics of DPS; empty the tables link, parked, unlinked "
        "of the route's schema; `ajera-cdc connectors apply --source dps`; `ajera-cdc link "
        "--dry-run`, then `ajera-cdc link`; start the consumers."
    )


class RowRejected(PipelineError):
    """The target database refused a row for what it holds: a value that does not fit,
    a key that is not there.

    The batch is bisected down to the offending rows; these wait, the rest is written.
    """

    code = "target.rejected"
    remedy = Remedy.PARK
    hint = (
        "Correct the row in Ajera, or the column or constraint named in the target; the row is "
        "tried again by itself."
    )


class KeyTableInvalid(PipelineError):
    """The key table that the profile names gives no key: at or below the table's highest key,
    no number, or two of them.

    No key is made up instead: Ajera itself would give it again.
    """

    code = "ajera.key_table"
    remedy = Remedy.PARK
    hint = (
        "Correct that row of the key table in Ajera, or `[keys]` in the site profile; "
        "`ajera-cdc check` shows both keys. The row is tried again by itself."
    )


class TopicMissing(PipelineError):
    """A topic that a route reads or writes does not exist."""

    code = "kafka.topic"
    remedy = Remedy.RETRY
    hint = (
        "`ajera-cdc connectors apply` creates the topics of a source; `ajera-cdc check` lists "
        "those that are missing."
    )
    exit_code = ExitCode.ENVIRONMENT


class KafkaRightMissing(PipelineError):
    """Kafka does not let our user read or write a topic, or take part in the consumer group."""

    code = "kafka.rights"
    remedy = Remedy.RETRY_FOR_A_WHILE
    hint = (
        "Add the access rule in Kafka: Read and Describe on the source topics and the group, Write "
        "on the dead-letter topic; `ajera-cdc check` tries the topics."
    )
    exit_code = ExitCode.ENVIRONMENT


class OffsetLost(PipelineError):
    """Retention has deleted messages that were not applied yet."""

    code = "kafka.offset_lost"
    hint = (
        "Changes are missing in the target: run a new snapshot (`ajera-cdc connectors remove` and "
        "`apply`), and raise the topic's retention. `ajera-cdc skip` leaves out what is gone."
    )


class TopicRenewed(PipelineError):
    """A topic was deleted and made again while consumers read it."""

    code = "kafka.renewed"
    remedy = Remedy.RETRY
    hint = (
        "It is read from its beginning, by itself. What the deleted topic held unread is lost: run "
        "`ajera-cdc backfill` of its table, or take a new snapshot."
    )


class PartitionsChanged(PipelineError):
    """A topic has another number of partitions than when it was first read:
    its rows have moved between partitions.
    """

    code = "kafka.partitions"
    hint = (
        "Order holds within a partition only. Stop the consumers, `ajera-cdc connectors remove`, "
        "delete the topic, `connectors apply`, which creates it with `kafka.partitions` "
        "partitions: a new snapshot brings everything again."
    )


class SourceRewound(PipelineError):
    """A change committed long after the newest one applied to its row,
    yet is before it in the source's log.

    So the source was restored from a backup, or replaced, under the same connector.
    Its new changes would look old, and be skipped.
    """

    code = "source.rewound"
    hint = (
        "`ajera-cdc connectors remove`, then `connectors apply`: the source gets a new snapshot "
        "and sorts above what was. "
        "If only its clock was set, raise `run.clock_tolerance_seconds`."
    )


class ReplayRefused(PipelineError):
    """A replay was asked for that cannot be made safely: the group is running,
    or the place does not exist.
    """

    code = "replay.refused"
    hint = (
        "Stop all consumers of the group first; `ajera-cdc lag` shows topics, partitions and "
        "offsets."
    )
    exit_code = ExitCode.USAGE


class DeadLetterFailed(PipelineError):
    """A dead letter could not be written to its topic; its message stays unread."""

    code = "kafka.dead_letter"
    hint = (
        "Check that the dead-letter topic exists and may be written (`ajera-cdc check --only "
        "Kafka`); the partition then continues by itself."
    )


class SnapshotNeeded(PipelineError):
    """A table would join those that a connector captures;
    what it holds already would not be read.
    """

    code = "connect.snapshot_needed"
    exit_code = ExitCode.ENVIRONMENT
    hint = (
        "Take a new snapshot: `ajera-cdc connectors remove`, then `ajera-cdc connectors apply`. "
        "Rows that were read before are found unchanged."
    )


class ConnectorFailed(PipelineError):
    """Kafka Connect refused a connector's configuration, or its task failed."""

    code = "connect.failed"
    exit_code = ExitCode.ENVIRONMENT
    hint = (
        "The sentence above is the connector's own; correct the cause, then `ajera-cdc connectors "
        "apply`."
    )


class BackfillRefused(PipelineError):
    """A backfill cannot be started: its connector does not run, still reads its first snapshot,
    has no signal table, or reads another backfill.
    """

    code = "connect.backfill"
    exit_code = ExitCode.ENVIRONMENT
    hint = "`ajera-cdc backfill status` shows what runs, `ajera-cdc connectors status` why not."
