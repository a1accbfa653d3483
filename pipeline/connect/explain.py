"""What a connector's stack trace means, in one sentence for the operator."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Cause:
    """A well-known cause: any of the patterns in the trace (any case), and the sentence for it."""

    patterns: Sequence[str]
    sentence: str

    def is_in(self, trace: str) -> bool:
        return any(re.search(pattern, trace, re.IGNORECASE) for pattern in self.patterns)


REGISTRY: Final = r"apicurio\.(registry|rest)|kafka\.schemaregistry|AvroConverter"
NO_ANSWER: Final = (
    r"connection refused|ConnectException(?!: Tolerance)|UnknownHostException"
    r"|UnresolvedAddressException|timed out|RestClientException"
)

# In order: the first that matches is reported. Causes that name their subject come before those
# that only say that a connection failed.
CAUSES: Final = (
    Cause(
        (
            r"failed to find any class that implements connector",
            r"class \S+ could not be found",
            r"NoClassDefFoundError",
        ),
        (
            "A plugin class was not found: Debezium or the Avro converter is missing in Connect's "
            "plugin folder."
        ),
    ),
    Cause(
        (
            r"password authentication failed",
            r"login failed for user",
            r"no pg_hba\.conf entry",
            r"SASL authentication failed",
        ),
        "The user or the password was refused.",
    ),
    Cause(
        (
            r"wal_level\W+property must be",
            r"logical decoding requires \W*wal_level",
        ),
        (
            "The source's wal_level is not `logical`: set it in PostgreSQL's configuration and "
            "restart the server."
        ),
    ),
    Cause(
        (r"replication slot .{1,80} is active for PID",),
        (
            "The replication slot is in use: another connector, or an old session of this one, "
            "still reads from it."
        ),
    ),
    Cause(
        (
            r"all replication slots are in use",
            r"number of requested standby connections exceeds max_wal_senders",
        ),
        (
            "The source has no replication slot or WAL sender left: raise max_replication_slots "
            "or max_wal_senders."
        ),
    ),
    Cause(
        (
            r"replication slot .{1,80} does not exist",
            r"can no longer (get changes|access) .{0,40}replication slot",
            r"replication slot .{1,80} has been invalidated",
            r"requested WAL segment .{1,60} has already been removed",
            r"no longer available on the server",
        ),
        (
            "The replication slot is missing or has lost its log: changes are lost, so the tables "
            "need a new snapshot."
        ),
    ),
    Cause(
        (
            r"must be superuser or replication role",
            r"permission denied to (start WAL sender|use replication slots)",
            r"Only roles with the REPLICATION attribute",
        ),
        "The source's user may not replicate: give its role the REPLICATION attribute.",
    ),
    Cause(
        (
            (
                r"(creating|create|creation of|alter|update) \W*publication"
                r"[\s\S]{0,2000}(permission denied|must be owner)"
            ),
            r"permission denied for (database|publication)",
            r"must be owner of (table|relation|publication)",
            r"must be superuser to create .{0,30}publication",
        ),
        (
            "The source's user may not make the publication: let an owner create it,"
            " or give CREATE and the tables' ownership."
        ),
    ),
    Cause(
        (r"publication .{1,80} does not exist",),
        "The publication does not exist in the source database.",
    ),
    Cause(
        (r"snapshot isolation is not allowed in this database",),
        (
            "The source does not allow snapshot isolation: ALTER DATABASE … SET "
            "ALLOW_SNAPSHOT_ISOLATION ON."
        ),
    ),
    Cause(
        (
            r"invalid object name '(\S+\.)?cdc\.(lsn_time_mapping|change_tables)'",
            r"database .{1,80} (is )?not enabled for change data capture",
        ),
        "CDC is not enabled on the source database: EXEC sys.sp_cdc_enable_db.",
    ),
    Cause(
        (
            r"no table has enabled CDC",
            r"invalid object name '(\S+\.)?cdc\.\S*'",
            r"no capture instances? (is|are|were)? ?(found|available)",
        ),
        (
            "CDC is not enabled on a captured table (or its role does not let the user see it): "
            "EXEC sys.sp_cdc_enable_table."
        ),
    ),
    Cause(
        (
            (
                r"insufficient number of arguments were supplied for the procedure or function "
                r"cdc\.fn_cdc"
            ),
        ),
        (
            "The source's CDC clean-up has removed changes that were not read: they are lost, the "
            "tables need a new snapshot."
        ),
    ),
    Cause(
        (r"maximum LSN",),
        (
            "The source's CDC has recorded nothing yet: SQL Server Agent or its capture job is "
            "not running."
        ),
    ),
    Cause(
        (
            r"(SELECT|EXECUTE) permission was denied",
            r"permission denied for (table|schema|relation)",
        ),
        "The source's user may not read a captured table or its changes.",
    ),
    Cause(
        (
            r"history topic or its content is fully or partially missing",
            r"schema history .{0,40}missing",
        ),
        (
            "The connector's schema history topic is missing while its offsets are there: remove "
            "the connector and apply it again."
        ),
    ),
    Cause(
        (
            r"incompatible with an earlier schema",
            r"RuleViolationException",
            r"incompatible artifact",
        ),
        (
            "The schema registry refuses a table's new schema as incompatible: set its "
            "compatibility rule to none."
        ),
    ),
    Cause(
        (rf"({REGISTRY})[\s\S]*(Unauthorized|Forbidden|error code: 40[13]\b)",),
        "The schema registry refuses Connect's credentials.",
    ),
    Cause(
        (
            rf"({REGISTRY})[\s\S]*({NO_ANSWER})",
            rf"({NO_ANSWER})[\s\S]*({REGISTRY})",
        ),
        (
            "The schema registry does not answer Connect: check the registry's address as Connect "
            "sees it."
        ),
    ),
    Cause(
        (
            r"UnknownTopicOrPartitionException",
            r"topic \S+ not present in metadata",
            r"\S+ topic .{0,40}does not exist",
        ),
        "A topic is missing: Connect may not create topics, or someone deleted it.",
    ),
    Cause(
        (
            r"InvalidReplicationFactorException",
            r"replication factor: \d+ larger than available brokers",
        ),
        "Kafka has fewer brokers than the topics are to have replicas: lower the replicas.",
    ),
    Cause(
        (
            r"PKIX path building failed",
            r"could not establish a secure connection",
            r"SSLHandshakeException",
            r"SSL error",
        ),
        (
            "The encrypted connection failed: the server's certificate is not trusted, or "
            "encryption is set differently there."
        ),
    ),
    Cause(
        (
            r"UnknownHostException",
            r"(name or service not known)",
            r"could not be resolved",
        ),
        "The source's host name is unknown to Connect.",
    ),
    Cause(
        (
            r"connection to \S+ refused",
            r"TCP/IP connection to the host .{1,200} has failed",
            r"connection refused",
            r"connection attempt failed",
        ),
        "The source does not accept connections at this host and port.",
    ),
    Cause(
        (r"database \S+ does not exist", r"cannot open database"),
        "The source database does not exist, or its user may not open it.",
    ),
)

CAUSED_BY: Final = "Caused by: "
# May contain a value: quoted or bracketed text, what follows the word value, and longer numbers,
# times, addresses.
VALUES: Final = re.compile(
    r"\"[^\"]*\"|'[^']*'|`[^`]*`|\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}"
    r"|(?<=\bvalue )\S+|(?<=\bvalue: )\S+|(?<==)\S+|\d[\d.,:/-]{2,}\d"
)


def explain(trace: str) -> str:
    """One sentence on a connector's stack trace.

    A known cause has a sentence of ours. Otherwise it is the root cause's own line (the last
    `Caused by:`), shortened, with everything that may be a value replaced by `…`.
    """
    for cause in CAUSES:
        if cause.is_in(trace):
            return cause.sentence
    return root_line(trace)


def root_line(trace: str) -> str:
    """The last `Caused by:` line, else the first line,
    without values and at most 300 characters long.
    """
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    roots = [line.removeprefix(CAUSED_BY) for line in lines if line.startswith(CAUSED_BY)]
    line = roots[-1] if roots else (lines[0] if lines else "The connector says nothing.")
    return without_values(line)[:300]


def without_values(text: str) -> str:
    """The text with everything that may be a value replaced by `…`."""
    return VALUES.sub("…", text)
