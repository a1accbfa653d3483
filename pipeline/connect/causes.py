"""The well-known causes of a connector's failure: how its trace shows it, what it means, and what
ends it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Recovery(StrEnum):
    """What lets a connector that failed run again."""

    RESTART = "a restart, once what it needs answers again"
    CORRECTION = "a correction by a person, then a restart"
    SNAPSHOT = "a new snapshot"

    @property
    def hint(self) -> str:
        """What a person does about it."""
        match self:
            case Recovery.RESTART:
                return "`ajera-cdc connectors restart` does it at once."
            case Recovery.CORRECTION:
                return "Correct the cause, then `ajera-cdc connectors apply`, which restarts it."
            case Recovery.SNAPSHOT:
                return "`ajera-cdc connectors remove`, then `ajera-cdc connectors apply`."


@dataclass(frozen=True, slots=True)
class Cause:
    """A well-known cause: any of the patterns in the trace (any case), the sentence for it, and
    what ends it.
    """

    patterns: Sequence[str]
    sentence: str
    recovery: Recovery = Recovery.RESTART

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
        Recovery.CORRECTION,
    ),
    Cause(
        (
            r"password authentication failed",
            r"login failed for user",
            r"no pg_hba\.conf entry",
            r"SASL authentication failed",
        ),
        "The user or the password was refused.",
        Recovery.CORRECTION,
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
        Recovery.CORRECTION,
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
        Recovery.CORRECTION,
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
        Recovery.SNAPSHOT,
    ),
    Cause(
        (
            r"must be superuser or replication role",
            r"permission denied to (start WAL sender|use replication slots)",
            r"Only roles with the REPLICATION attribute",
        ),
        "The source's user may not replicate: give its role the REPLICATION attribute.",
        Recovery.CORRECTION,
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
        Recovery.CORRECTION,
    ),
    Cause(
        (r"publication .{1,80} does not exist",),
        "The publication does not exist in the source database.",
        Recovery.CORRECTION,
    ),
    Cause(
        (r"snapshot isolation is not allowed in this database",),
        (
            "The source does not allow snapshot isolation: ALTER DATABASE … SET "
            "ALLOW_SNAPSHOT_ISOLATION ON."
        ),
        Recovery.CORRECTION,
    ),
    Cause(
        (
            r"invalid object name '(\S+\.)?cdc\.(lsn_time_mapping|change_tables)'",
            r"database .{1,80} (is )?not enabled for change data capture",
        ),
        "CDC is not enabled on the source database: EXEC sys.sp_cdc_enable_db.",
        Recovery.CORRECTION,
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
        Recovery.CORRECTION,
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
        Recovery.SNAPSHOT,
    ),
    Cause(
        (r"maximum LSN",),
        (
            "The source's CDC has recorded nothing yet: SQL Server Agent or its capture job is "
            "not running."
        ),
        Recovery.CORRECTION,
    ),
    Cause(
        (
            r"(SELECT|EXECUTE) permission was denied",
            r"permission denied for (table|schema|relation)",
        ),
        "The source's user may not read a captured table or its changes.",
        Recovery.CORRECTION,
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
        Recovery.SNAPSHOT,
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
        Recovery.CORRECTION,
    ),
    Cause(
        (rf"({REGISTRY})[\s\S]*(Unauthorized|Forbidden|error code: 40[13]\b)",),
        "The schema registry refuses Connect's credentials.",
        Recovery.CORRECTION,
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
        Recovery.CORRECTION,
    ),
    Cause(
        (
            r"InvalidReplicationFactorException",
            r"replication factor: \d+ larger than available brokers",
        ),
        "Kafka has fewer brokers than the topics are to have replicas: lower the replicas.",
        Recovery.CORRECTION,
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
        Recovery.CORRECTION,
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
        Recovery.CORRECTION,
    ),
)
