"""The glossary: one word for each thing, and where the code has it.
`python -m tests.docs.glossary` writes docs/glossary.md.

A word of the code that is neither here nor in `ORDINARY` fails a test: a new idea gets an entry,
or the name of one that is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/glossary.md"


@dataclass(frozen=True, slots=True)
class Word:
    """A term, what it means, and the classes of `pipeline` that carry it."""

    term: str
    meaning: str
    code: tuple[str, ...] = ()


EVENTS = (
    Word("event", "one change of a row, as committed in the source", ("Event",)),
    Word("message", "what Kafka carries: an event, a tombstone or a heartbeat", ("Message",)),
    Word(
        "op",
        (
            "what happened: c (created), u (updated), d (deleted), r (read by a snapshot), t "
            "(truncated)"
        ),
        ("Operation", "SourceTruncated"),
    ),
    Word("tombstone", "the null message after a delete, never a delete by itself", ("Tombstone",)),
    Word(
        "heartbeat", "a message that a connector sends so that its log is released", ("Heartbeat",)
    ),
    Word(
        "snapshot",
        "reading a table as it is, before its changes are streamed",
        ("SnapshotFollower",),
    ),
    Word("position", "a place in the source's log, in a form that sorts in commit order"),
    Word("epoch", "which capture of the source an event is from; a new snapshot raises it"),
    Word("offset, next offset", "a place in a partition; the one to read next", ("OffsetStore",)),
    Word("topic offset", "incarnation, partition and offset of a message", ("TopicOffset",)),
    Word(
        "incarnation",
        "a topic as it was first seen; deleted and created again, it is another one",
        ("Incarnation", "TopicRenewed"),
    ),
    Word("commit", "of an offset; a database has transactions"),
    Word("watermark", "the oldest offset there is, and the one after the newest"),
    Word("lag, delay", "messages behind; age in seconds of the oldest event not applied", ("Lag",)),
    Word(
        "backlog",
        "what waits in a partition, from the next offset to its end, and since when",
        ("Backlog",),
    ),
    Word(
        "freshness",
        "how long ago a heartbeat or a change of a source was seen in Kafka",
        ("Freshness",),
    ),
    Word(
        "figure",
        "a number of a consumer that is looked up in Kafka when it is scraped",
        ("Figures", "FigureCollector", "Lookout"),
    ),
    Word("held partition", "one that a consumer has now", ("HeldPartitions",)),
    Word(
        "capture",
        "reading a source's log: its slot, or its capture job, and the connector",
        ("CaptureHealth",),
    ),
    Word(
        "verdict",
        "what a consumer group does, in a word: ok, warn, stalled, stopped, never ran, unknown",
        ("GroupVerdict",),
    ),
    Word(
        "problem, severity",
        "what `status` says is wrong; degraded, unknown, or halted: a person is needed",
        ("Problem", "Severity"),
    ),
    Word("contract", "the columns of a captured table that the pipeline relies on", ("Contract",)),
)
ROUTES = (
    Word(
        "recovery",
        "what lets a connector that failed run again: a restart, a correction, a new snapshot",
        ("Recovery",),
    ),
    Word(
        "signal",
        "what asks a connector for a backfill: a row of a table of our own in the source",
        ("Signal", "SignalTable"),
    ),
    Word("notice", "what a connector notifies about a backfill", ("Notice",)),
    Word(
        "watcher",
        "what restarts a failed connector by itself, in each consumer, with growing pauses",
        ("Watcher",),
    ),
    Word("source", "a captured system: its tables, connector, epoch and heartbeat", ("Source",)),
    Word(
        "route",
        "source tables, the database that holds its state, a consumer group, a processor",
        ("Route", "RouteHandle"),
    ),
    Word(
        "projection",
        "a route that computes the rows of a target from a mirror of one source",
        ("ProjectionSection",),
    ),
    Word("target", "the system that a projection writes", ("Target", "TargetTable")),
    Word(
        "state",
        "the schema `sync`: what a route remembers, in the database that it writes",
        ("State",),
    ),
    Word("processor", "projection (rows from a mirror) or exchange (pairs)", ("Processor",)),
    Word("site profile", "how the databases of one firm differ from the defaults", ("Site",)),
    Word("dead letter", "a message that can never be processed, kept apart", ("DeadLetters",)),
    Word(
        "circuit",
        "the limit of dead letters at which a partition halts",
        ("Circuit", "CircuitOpen"),
    ),
    Word(
        "bisect",
        "to divide a rejected batch until the offending item is alone",
        ("BisectingQueue",),
    ),
    Word(
        "remedy",
        "what the consumer does about an error: retry, park, dead letter, halt",
        ("Remedy",),
    ),
    Word(
        "halt",
        "to stop a partition, or a table of the target, where continuing could lose or spoil rows",
        ("Halt", "HaltedAt", "Halting", "HaltStore"),
    ),
    Word(
        "skip",
        "to leave out a message that cannot be applied, and record its row for a backfill",
        ("Skip", "SkippedMessage", "SkippedMessages", "SkippedRows", "Skipping", "Reloads"),
    ),
    Word(
        "refuse",
        "of a table: to be read or written by nobody like us, whatever the row holds",
        ("Refusals", "Refused", "TableRefused", "RefusedWork"),
    ),
    Word(
        "catch up",
        "to read again, after a rewind, what was read before it",
        ("CatchUp", "LostAt"),
    ),
    Word(
        "presence",
        "that a consumer runs, and how it is, as it reports in the route's state",
        ("Presence", "ConsumerStatus"),
    ),
    Word("park, parked", "to wait for another row, or for a person", ("ParkReason", "Parked")),
    Word("pause, resume", "to stop and continue fetching a partition"),
    Word("drain", "to finish what was read, then stop"),
    Word(
        "replay, redrive, backfill",
        "reading from an earlier offset; sending dead letters back; a new snapshot of a table",
        ("Replay",),
    ),
    Word(
        "at least once, idempotent",
        "messages may come again; applying one again changes nothing",
    ),
    Word("stale", "older than what was applied"),
    Word("rewound", "a source or target that was restored to an earlier state", ("SourceRewound",)),
    Word(
        "audit line",
        "who changed something by a command, when, what, and how it ended",
        ("AuditEntry", "AuditLine", "Changes", "DatabaseAuditTrail"),
    ),
)
PROJECTION = (
    Word("mapping, line", "a table of the vendor's page; one of its lines", ("TableMapping",)),
    Word("term", "what a line computes, as a line of Python over its columns' texts", ("Term",)),
    Word(
        "fingerprint",
        (
            "what a mapping is known by: its data, and its functions in a form without comments "
            "and layout"
        ),
        ("Canonical", "AppliedMapping"),
    ),
    Word(
        "unknown",
        (
            "a value that was never sent, or whose column was added since: what hangs on it is "
            "not written"
        ),
        ("ValueUnknown", "KnownValues", "AddedColumn", "AddedColumns", "UnknownColumn", "Lacking"),
    ),
    Word("remap", "recompute the rows of mappings that changed", ("Remapped",)),
    Word("root", "the source row that a target row is built from"),
    Word("ledger", "how far each source row was applied", ("Ledger", "LedgerRow")),
    Word("mirror", "what each source row last held", ("Mirror",)),
    Word(
        "mirrored table",
        "a source table with the columns that one route mirrors, and what it needs beside them",
        ("MirroredTable",),
    ),
    Word(
        "aggregate",
        "a value over many rows of the mirror, which the database computes",
        ("Aggregate", "Aggregation"),
    ),
    Word(
        "tree",
        "rows that refer to rows of their own table; a row is summed up with those below it",
        ("Between",),
    ),
    Word("watch", "what aggregates read of a row, and which root a change of it marks", ("Watch",)),
    Word("pick", "the columns of a source table that one route reads"),
    Word(
        "sticky column",
        "a mirrored value that later events do not take back",
        ("StickyColumn", "Fold"),
    ),
    Word(
        "write directly",
        "to write a target row that depends on one source row alone when that is staged",
        ("Direct", "DirectResult", "PlainMapping"),
    ),
    Word("stage", "to store a batch's events in ledger and mirror, with marks", ("StagedBatch",)),
    Word("mark, due", "a durable note that target rows must be recomputed", ("Mark", "Marks")),
    Word("recompute", "to build the marked target rows again from the mirror", ("Recompute",)),
    Word(
        "postponed, undone",
        "of a recompute: left for a moment, while messages come; left by a process that died",
        ("Postponed", "Undone"),
    ),
    Word("related rows", "the rows around a root that its lines read", ("RelatedRows",)),
    Word(
        "observed table",
        "a table of the target that the route reads back, to put back what people change in it",
        ("Observed", "PutBack", "Written", "WrittenRows"),
    ),
    Word(
        "adopt",
        "to write a child row of ours into one that somebody else made",
        ("AdoptedRows", "Adopted"),
    ),
    Word(
        "retired",
        "a root that is deleted, or no longer of its kind: its target row stays as it was",
    ),
    Word("upsert", "to create a row, or change it where it differs"),
    Word("sweep", "to treat as deleted what a new snapshot did not hold", ("Sweep",)),
    Word("load", "reading a table's first snapshot to its end", ("Loads", "Loading")),
)
EXCHANGE = (
    Word("entity", "a kind of pair, such as firm or project", ("Entity", "EntitySide")),
    Word("link, side", "a pair of rows of two systems; one of the two", ("Link", "LinkSide")),
    Word("line", "a field of an entity, with its rule", ("ColumnPair",)),
    Word("match", "how a row finds its counterpart", ("Matching", "Candidate")),
    Word(
        "unlinked",
        "of a row: read, and left without a link; how far its log was read is remembered",
        ("Unlinked", "UnlinkedRows"),
    ),
    Word("flag", "what sets a row to be exchanged, on its own side"),
    Word("rule, owner", "what decides when both sides were edited; whose column it is", ("Rule",)),
    Word("conflict", "both sides were edited, or a write met another", ("Conflict",)),
    Word("dirty", "edited since the two sides last agreed"),
    Word("coincident", "the same on both sides because two people typed the same"),
    Word("echo", "our own write coming back as an event"),
    Word(
        "pending write", "a write of ours that the side's log may not have shown yet", ("Pending",)
    ),
    Word(
        "intention",
        "a write into Ajera, by its number: carried out once, or given up",
        ("Intentions",),
    ),
    Word("settle", "to find out what became of a write", ("Settled",)),
    Word("fence", "to take a number so that no other process can still write with it"),
    Word("desired value", "what a side ought to hold because somebody typed it", ("Desired",)),
    Word("translation", "of keys and codes from one side's to the other's", ("Translations",)),
    Word("reconcile", "to decide and carry out what events of pairs ask for", ("Reconciler",)),
    Word(
        "unit of work",
        "links, writes and parked work of one pass, stored together",
        ("UnitOfWork",),
    ),
    Word(
        "second writer",
        "another program that copies between the same two systems",
        ("SecondWriter",),
    ),
    Word("rehearsal", "a run that changes nothing", ("RehearsedPairs",)),
)
GLOSSARY = {
    "Events and topics": EVENTS,
    "Routes and operation": ROUTES,
    "Projection (Ajera to PIM)": PROJECTION,
    "Exchange (Ajera and DPS)": EXCHANGE,
}
HEAD = (
    "<!-- Written by `make reference` from tests/docs/glossary.py; a test keeps it up to date. "
    "-->\n"
    "# Glossary\n\nOne word for each thing, everywhere: code, docs, metrics, commands.\n"
)


def page() -> str:
    """The text of docs/glossary.md."""
    parts = [HEAD]
    for title, words in GLOSSARY.items():
        rows = "".join(f"| {word.term} | {word.meaning} |\n" for word in words)
        parts.append(f"## {title}\n\n| word | meaning |\n|---|---|\n{rows}")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
