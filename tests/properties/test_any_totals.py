"""Any order of arrival between topics, any cut, anything twice, any interleaving of two processes:
totals that equal a recount of the rows.

In memory; the contract suite holds this target to the databases.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

import pytest

from pipeline.model.event import Event, Operation, Value
from pipeline.model.position import TopicOffset
from tests.support.engine import Consumer, Ticking, ready
from tests.support.events import NOON
from tests.support.histories import PARTITIONS, arrivals, batches, process_of
from tests.support.totals import FINAL, TOTALS, changed
from tests.twins.target import MemoryTarget
from tests.twins.turns import Schedule

RUNS = int(os.environ.get("AJERA_CDC_TOTALS", "150"))
SEED = int(os.environ.get("AJERA_CDC_SEED", "20261127"))
PROCESSES = 2
KEYS = {"Firm": 3, "Job": 4, "Share": 4, "Entry": 8, "Person": 4, "Invoice": 3}
OWNERS = {
    "jobFirm",
    "shareFirm",
    "entryJob",
    "personFirm",
    "personName",
    "personRate",
}  # always sent
TABLES = ("Firm", "Job", "Share", "Entry", "Entry", "Entry", "Person", "Invoice")
Known = dict[str, Value]
Table = dict[int, Known]
Team = dict[tuple[Value, Value], tuple[Value, Value]]


def history(rng: random.Random, length: int) -> list[Event]:
    """Committed changes of firms, jobs, shares and entries, in commit order."""
    events: list[Event] = []
    offsets: dict[tuple[str, int], int] = {}
    for number in range(1, length + 1):
        table = rng.choice(TABLES)
        key = rng.randint(1, KEYS[table])
        operation = "d" if rng.random() < 0.12 else "u"
        columns = some_columns(rng, table)
        lacking = rng.choice(sorted({*columns} - OWNERS or {""})) if rng.random() < 0.1 else ""
        kept = {name: value for name, value in columns.items() if name != lacking}
        one = changed(table, key, operation, at=number, without=(lacking,), **kept)
        partition = key % PARTITIONS
        offset = offsets[table, partition] = offsets.get((table, partition), -1) + 1
        place = TopicOffset(1, partition, offset)
        events.append(replace(one, place=place, committed_at=NOON + timedelta(seconds=number)))
    return events


def some_columns(rng: random.Random, table: str) -> dict[str, Value]:
    match table:
        case "Firm":
            return {"firmName": rng.choice(("a", "b"))}
        case "Job":
            return {
                "jobFirm": rng.choice((None, 0, 1, 2, 3)),
                "jobStatus": rng.choice((None, 1, 2, 3)),
                "jobOpened": rng.choice((None, date(2026, 1, 1), date(2025, 6, 30))),
                "jobStatusNote": rng.choice((None, "x")),
                "jobLead": rng.choice((None, 0, 1, 2)),
            }
        case "Person":
            return {
                "personFirm": rng.choice((None, 0, 1, 2, 3)),
                "personName": rng.choice((None, "n", "m")),
                "personRate": rng.choice((None, Decimal("1.25"), Decimal(2))),
            }
        case "Invoice":
            return {"invoiceStatus": rng.choice((None, 1, FINAL)), "invoiceNotes": rng.choice("xy")}
        case "Share":
            return {"shareFirm": rng.choice((None, 1, 2, 3)), "shareJob": rng.choice((None, 1, 2))}
        case _:
            return {
                "entryJob": rng.choice((None, 1, 2, 3, 4)),
                "entryAmount": rng.choice((None, Decimal("0.0001"), Decimal("-3.5"), Decimal(9))),
                "entryHours": rng.choice((None, 1, 8)),
                "entryVoid": rng.choice((None, False, True)),
                "entryNotes": rng.choice((None, "x")),
                "entryInvoice": rng.choice((None, 0, 1, 2, 3)),
                "entryPerson": rng.choice((None, 1, 2)),
                "entryRole": rng.choice((None, "r", "R")),
                "entryDay": rng.choice((None, date(2026, 1, 1), date(2025, 6, 30))),
            }


def at_the_end(events: Iterable[Event]) -> dict[str, Table]:
    """The rows that exist after all events, with what is known of each."""
    tables: dict[str, Table] = {table: {} for table in KEYS}
    for one in events:
        rows, key = tables[one.table], int(one.key)
        if one.operation is Operation.DELETE:
            rows.pop(key, None)
        else:
            rows[key] = {**rows.get(key, {}), **one.row}
    return tables


def recount(tables: Mapping[str, Table], firm: int) -> Known:
    """A firm's totals from its rows; without those that lack a value."""
    found: Known = {}
    jobs = {key: job for key, job in tables["Job"].items() if job.get("jobFirm") == firm}
    if all("jobStatus" in job for job in jobs.values()):
        found["Open Jobs"] = sum(job["jobStatus"] in (1, 2) for job in jobs.values())
    if all("jobOpened" in job for job in jobs.values()):
        opened = [day for job in jobs.values() if isinstance(day := job["jobOpened"], date)]
        found["Newest Job"] = max(opened, default=None)
    entries = [entry for entry in tables["Entry"].values() if entry.get("entryJob") in jobs]
    if all({"entryAmount", "entryVoid"} <= entry.keys() for entry in entries):
        counted = [entry["entryAmount"] for entry in entries if not entry["entryVoid"]]
        amounts = [amount for amount in counted if isinstance(amount, Decimal)]
        found["Amount"] = sum(amounts, start=Decimal(0))
        found["Least Amount"] = min(amounts, default=None)
    if all("entryHours" in entry for entry in entries):
        hours = [entry["entryHours"] for entry in entries]
        found["Hours"] = sum(one for one in hours if isinstance(one, int))
    shares = [share for share in tables["Share"].values() if share.get("shareFirm") == firm]
    if all("shareJob" in share for share in shares):
        shared = {job for s in shares if isinstance(job := s["shareJob"], int)} & {*tables["Job"]}
        states = [tables["Job"][job] for job in shared]
        if all("jobStatus" in job for job in states):
            found["Shared Jobs"] = sum(job["jobStatus"] in (1, 2) for job in states)
            if all("jobLead" in job for job in states):
                led = [job for job in states if job["jobStatus"] in (1, 2)]
                found["Shared Led Jobs"] = sum(is_led(tables, job) for job in led)
    if all("jobLead" in job for job in jobs.values()):
        found["Led Jobs"] = sum(is_led(tables, job) for job in jobs.values())
    return found | recount_by_invoice(tables["Invoice"], entries)


def is_led(tables: Mapping[str, Table], job: Known) -> bool:
    """By a person who exists, and whose name is the one of the condition."""
    lead = job["jobLead"]
    person = tables["Person"].get(lead) if isinstance(lead, int) else None
    return person is not None and person["personName"] in ("n", None)


def recount_by_invoice(invoices: Table, entries: Sequence[Known]) -> Known:
    """What is on a final invoice, and what is not: on another one, or on none that exists."""
    if not all({"entryAmount", "entryInvoice"} <= entry.keys() for entry in entries):
        return {}
    on = [invoices.get(key) if isinstance(key := e["entryInvoice"], int) else None for e in entries]
    if not all(invoice is None or "invoiceStatus" in invoice for invoice in on):
        return {}
    is_final = [invoice is not None and invoice["invoiceStatus"] == FINAL for invoice in on]
    with_it = [(e, final) for e, final in zip(entries, is_final, strict=True)]
    found: Known = {"Invoiced": total(e for e, final in with_it if final)}
    if all("entryVoid" in entry for entry in entries):
        rest = (e for e, final in with_it if not final and not e["entryVoid"])
        found["Not Invoiced"] = total(rest)
    return found


def team(tables: Mapping[str, Table], firm: int) -> Team | None:
    """By person and role hours and the first day; None while one of the entries lacks a value."""
    jobs = {key for key, job in tables["Job"].items() if job["jobFirm"] == firm}
    entries = [entry for entry in tables["Entry"].values() if entry["entryJob"] in jobs]
    read = {"entryPerson", "entryRole", "entryDay", "entryHours", "entryVoid"}
    if not all(read <= entry.keys() for entry in entries):
        return None
    found: dict[tuple[Value, Value], list[Known]] = {}
    for entry in entries:
        held = (entry["entryPerson"], entry["entryRole"])
        if None not in held and not entry["entryVoid"]:
            found.setdefault((f"p-{held[0]}", held[1]), []).append(entry)
    return {
        place: (
            sum(hours for one in some if isinstance(hours := one["entryHours"], int)),
            min((day for one in some if isinstance(day := one["entryDay"], date)), default=None),
        )
        for place, some in found.items()
    }


def total(entries: Iterable[Known]) -> Decimal:
    amounts = (entry["entryAmount"] for entry in entries)
    return sum((one for one in amounts if isinstance(one, Decimal)), start=Decimal(0))


def wrong(target: MemoryTarget, events: Sequence[Event]) -> Iterator[tuple[int, str]]:
    """Totals of firms that exist which a recount does not give; what it cannot know is left out."""
    tables = at_the_end(events)
    written = {row["Firm ID"]: row for row in target.rows("Totals")}
    staff: dict[Value, list[tuple[Value, ...]]] = {}
    for row in target.rows("Staff"):
        staff.setdefault(row["Firm ID"], []).append((row["Person ID"], row["Name"], row["Rate"]))
    teams: dict[Value, Team] = {}
    for row in target.rows("Team"):
        place = (row["Person ID"], row["Role"])
        teams.setdefault(row["Firm ID"], {})[place] = (row["Hours"], row["First Day"])
    for firm in tables["Firm"]:
        people = sorted(
            (f"p-{key}", one["personName"], one["personRate"])
            for key, one in tables["Person"].items()
            if one["personFirm"] == firm
        )
        if staff.get(f"f-{firm}", []) != people:
            yield firm, "Staff"
        if (expected := team(tables, firm)) is not None and teams.get(f"f-{firm}", {}) != expected:
            yield firm, "Team"
        for column, value in recount(tables, firm).items():
            if f"f-{firm}" not in written or written[f"f-{firm}"][column] != value:
                yield firm, column


@pytest.mark.timeout(600)
def test_any_order_any_cut_and_anything_twice_end_with_totals_that_equal_a_recount() -> None:
    """One process; partitions go back to any of their earlier events."""
    print(f"seed {SEED}, {RUNS} runs")
    for run in range(RUNS):
        rng = random.Random(f"{SEED} {run}")
        events = history(rng, rng.choice((5, 15, 40, 120)))
        target = ready(MemoryTarget(TOTALS))
        consumer = Consumer(target, events, route=TOTALS)
        for batch in batches(rng, arrivals(rng, events)):
            consumer.take(batch)
        assert consumer.letters.sent == []
        assert [*wrong(target, events)] == [], f"run {run}"


@pytest.mark.timeout(600)
def test_any_interleaving_of_two_processes_ends_with_totals_that_equal_a_recount() -> None:
    """A seed decides before each statement who continues."""
    print(f"seed {SEED}, {RUNS} runs")
    for run in range(RUNS):
        rng = random.Random(f"interleaved {SEED} {run}")
        events = history(rng, rng.choice((5, 15, 40)))
        schedule, clock = Schedule(rng), Ticking()
        target = ready(MemoryTarget(TOTALS, turns=schedule))
        tasks = []
        for number in range(PROCESSES):
            mine = [one for one in events if process_of(one, PROCESSES) == number]
            consumer = Consumer(target, mine, clock=clock, route=TOTALS)
            arrived = list(batches(rng, arrivals(rng, mine)))
            tasks.append(partial(take_all, consumer, arrived))
        schedule.run(tasks)
        Consumer(target, [], clock=clock, route=TOTALS).drain()
        assert [*wrong(target, events)] == [], f"run {run}"


def take_all(consumer: Consumer, arrived: Sequence[Sequence[Event]]) -> None:
    for batch in arrived:
        consumer.take(batch)
