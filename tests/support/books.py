"""Random histories of a firm's books in Ajera: what its people do, and the events that say so."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from pipeline.domain import ajera
from pipeline.model.event import Event, Operation, Value
from pipeline.model.position import TopicOffset
from tests.support.events import NOON, position
from tests.support.histories import PARTITIONS

TABLES = {
    table.name: table
    for table in (
        *(ajera.AX_ENTITY, ajera.AX_COMPANY, ajera.AX_EMPLOYEE_TYPE, ajera.AX_ACTIVITY),
        *(ajera.AX_CLIENT_INVOICE, ajera.AX_PROJECT, ajera.AX_TRANSACTION, ajera.AX_RESOURCE),
        *(ajera.AX_RECEIPT, ajera.AX_BEGINNING_BALANCE),
    )
}
KEYS = {
    "AxEntity": 2,
    "AxCompany": 2,
    "AxEmployeeType": 3,
    "AxActivity": 4,
    "AxClientInvoice": 3,
    "AxProject": 7,
    "AxTransaction": 20,
    "AxResource": 5,
    "AxReceipt": 4,
    "AxBeginningBalance": 3,
}
PEOPLE = (1, 2, 3)
THERE = ("AxEntity", "AxCompany", "AxEmployeeType", "AxProject", "AxActivity")  # in the beginning
CLOSED, MARKETING, FINAL = 5, 6, 2
KINDS = {1: "Labor", 2: "Expense", 3: "Consultant"}
FEE = ("FixedFee", "Fixed Fee", "PercentComplete")
TIME = ("TimeAndExpense", "time and expense")
DAYS = (None, date(2026, 1, 2), date(2025, 12, 31), date(2026, 6, 30))
AMOUNTS = (None, *map(Decimal, ("0.0001", "-3.5", "9", "11", "0", "1234567890.0001")))
BALANCES = [one.name for one in ajera.AX_BEGINNING_BALANCE.columns if one.kind == "decimal"]
Rows = dict[int, dict[str, Value]]


@dataclass
class Books:
    """Ajera's rows as its people change them, and the events that say so, in commit order."""

    rng: random.Random
    rows: dict[str, Rows] = field(default_factory=lambda: {table: {} for table in TABLES})
    events: list[Event] = field(default_factory=list)
    epoch: int = 1  # of the newest snapshot
    _is_captured: bool = True
    _partial: set[tuple[str, int]] = field(default_factory=set)  # first seen by some columns alone
    _offsets: dict[tuple[str, int], int] = field(default_factory=dict)

    def begin(self) -> None:
        """A firm with most of its rows, and with every row that others may wait for. Of some rows
        the first event lacks columns.
        """
        rarely = self.rng.choice((0.0, 0.05, 0.25))
        for table, most in KEYS.items():
            for key in range(1, most + 1):
                if table in THERE or self.rng.random() < 0.8:
                    if self.rng.random() < rarely:
                        self._partial.add((table, key))
                    self._put(table, key)

    def work(self, steps: int) -> None:
        """So many things that people do; in the end every row was seen whole."""
        self._do(steps)
        for table, key in sorted(self._partial):
            if key in self.rows[table]:
                self._tell(table, key, Operation.READ)

    def _do(self, steps: int) -> None:
        doings: tuple[tuple[int, Callable[[], None]], ...] = (
            *((6, self._enter), (4, self._rewrite), (3, self._strike_out), (2, self._delete)),
            *((4, self._move_transaction), (4, self._move_phase), (3, self._retype)),
            *((4, self._invoice), (2, self._rename), (3, self._close), (4, self._anything)),
            *((2, self._snapshot), (1, self._again), (2, self._capture_anew)),
        )
        weights, calls = zip(*doings, strict=True)
        for call in self.rng.choices(calls, weights, k=steps):
            call()

    # -- what people do ----------------------------------------------------------------------------

    def _enter(self) -> None:
        self._put("AxTransaction", self._key("AxTransaction"))

    def _rewrite(self) -> None:
        """As Ajera does: the old row is not current any more, and a new one takes its place."""
        old = self._some("AxTransaction")
        if old is not None:
            row = self.rows["AxTransaction"][old]
            self._change("AxTransaction", old, tIsCurrent=False)
            new = self._key("AxTransaction")
            self._write("AxTransaction", new, {**row, "tKey": new, **self._amounts()})

    def _strike_out(self) -> None:
        self._changed("AxTransaction", tIsDeleted=self.rng.choice((True, False)))

    def _delete(self) -> None:
        table = self.rng.choice((*TABLES, "AxTransaction", "AxTransaction", "AxTransaction"))
        key = self._some(table)
        if key is not None:
            del self.rows[table][key]
            self._tell(table, key, Operation.DELETE)

    def _move_transaction(self) -> None:
        self._changed("AxTransaction", tProject=self._project())

    def _move_phase(self) -> None:
        self._changed("AxProject", prjProject=self._project())

    def _retype(self) -> None:
        self._changed("AxActivity", actType=self.rng.choice((None, 1, 2, 3, 9)))

    def _invoice(self) -> None:
        self._changed("AxClientInvoice", ciStatus=self.rng.choice((None, 1, FINAL)))

    def _rename(self) -> None:
        self._changed("AxEmployeeType", etDescription=self.rng.choice(("Lead", "Drafter", None)))

    def _close(self) -> None:
        self._changed("AxProject", prjStatus=self.rng.choice((1, 1, CLOSED, MARKETING)))

    def _anything(self) -> None:
        table = self.rng.choice(tuple(TABLES))
        self._put(table, self._key(table))

    def _snapshot(self) -> None:
        """A row is read once more, as it is."""
        table = self.rng.choice(tuple(TABLES))
        key = self._some(table)
        if key is not None:
            self._tell(table, key, Operation.READ)

    def _capture_anew(self) -> None:
        """For a while nobody captures; then a new snapshot reads every row that is there."""
        if not self._is_captured:
            return
        self._is_captured = False
        self._do(self.rng.randint(0, 3))
        for _ in range(self.rng.randint(1, 3)):
            self._delete()
        self._is_captured, self.epoch = True, self.epoch + 1
        for table, rows in self.rows.items():
            for key in sorted(rows):
                self._tell(table, key, Operation.READ)

    def _again(self) -> None:
        """What was published is published once more, behind what came after it."""
        if self.events:
            one = self.rng.choice(self.events)
            if one.operation is not Operation.READ:
                self._append(one.table, int(one.key), one)

    # -- rows --------------------------------------------------------------------------------------

    def _key(self, table: str) -> int:
        return self.rng.randint(1, KEYS[table])

    def _some(self, table: str) -> int | None:
        keys = sorted(self.rows[table])
        return keys[self.rng.randrange(len(keys))] if keys else None

    def _project(self) -> int | None:
        places: list[int | None] = [None, *range(KEYS["AxProject"] + 2)]
        return self.rng.choice(places)

    def _changed(self, table: str, **columns: Value) -> None:
        key = self._some(table)
        if key is not None:
            self._change(table, key, **columns)

    def _change(self, table: str, key: int, **columns: Value) -> None:
        self._write(table, key, {**self.rows[table][key], **columns})

    def _put(self, table: str, key: int) -> None:
        (name,) = TABLES[table].key
        columns = self._columns(table)
        if table == "AxProject":  # often a phase of a phase
            above = (None, 0, key - 1, key - 1, key - 1, max(key - 2, 0), self._project())
            columns["prjProject"] = self.rng.choice(above)
        self._write(table, key, {name: key, **columns})

    def _write(self, table: str, key: int, row: dict[str, Value]) -> None:
        before = self.rows[table].get(key)
        after = dict.fromkeys(one.name for one in TABLES[table].columns) | row
        self.rows[table][key] = after
        self._tell(table, key, Operation.UPDATE, self._unsent(table, key, before))

    def _unsent(self, table: str, key: int, before: Mapping[str, Value] | None) -> set[str]:
        """Columns that the event lacks, none, one or many: of those that the update left as they
        were, or, of a row that is seen for the first time, of all.
        """
        after = self.rows[table][key]
        if before is not None:
            names = [name for name, value in after.items() if before[name] == value]
        else:
            names = [*after] if (table, key) in self._partial else []
        names = [name for name in names if name not in TABLES[table].key]
        most = self.rng.choice((0, 0, 1, len(names) // 2))
        return set(self.rng.sample(names, min(most, len(names))))

    def _amounts(self) -> dict[str, Value]:
        names = ("tCostAmount", "tSpentAmount", "tBilledAmount")
        return {name: self.rng.choice(AMOUNTS) for name in names}

    def _columns(self, table: str) -> dict[str, Value]:
        choose = self.rng.choice
        match table:
            case "AxEntity":
                return {"eOverheadPercent": choose((None, Decimal("1.5")))}
            case "AxCompany":
                return {"cmpOverheadPercent": choose((None, Decimal("2.25")))}
            case "AxEmployeeType":
                return {"etDescription": choose(("Lead", "Drafter", "Engineer"))}
            case "AxActivity":
                return {"actType": choose((1, 1, 1, 2, 3))}
            case "AxClientInvoice":
                return {"ciStatus": choose((None, 1, FINAL, FINAL))}
            case "AxProject":
                return {
                    "prjStatus": choose((1, 1, 1, 1, 1, 1, CLOSED, MARKETING)),
                    "prjBillingType": choose((*FEE, *TIME, None, "Overhead")),
                    "prjPercentComplete": choose((None, Decimal("12.5"))),
                    "prjDepartment": choose((None, 0, 1, 2)),
                    "prjCompany": choose((None, 1, 2)),
                    "prjEstimatedStartDate": choose(DAYS),
                    "prjEstimatedCompletionDate": choose(DAYS),
                    "prjActualStartDate": choose(DAYS),
                    "prjActualCompletionDate": choose(DAYS),
                }
            case "AxResource":
                return {
                    "resProject": self._project(),
                    "resActivityType": choose((1, 2, 3, None)),
                    "resBudgetAmount": choose(AMOUNTS),
                    "resBilledAsTE": choose((None, False, True)),
                }
            case "AxReceipt":
                return {
                    "rcProject": self._project(),
                    "rcActivityType": choose((1, 2, 3, None)),
                    "rcAmount": choose(AMOUNTS),
                }
            case "AxBeginningBalance":
                amounts = {name: choose(AMOUNTS) for name in BALANCES}
                return {"bbProject": self._project(), **amounts}
            case _:
                return {
                    "tProject": choose((self._project(), *range(1, KEYS["AxProject"] + 1))),
                    "tEmployee": choose((None, 0, *PEOPLE, *PEOPLE, *PEOPLE)),
                    "tIsDeleted": choose((None, False, False, False, False, True)),
                    "tIsCurrent": choose((True, True, True, True, True, False)),
                    "tActivity": choose((None, 1, 2, 3, 4, 1, 2, 3, 4)),
                    "tEmployeeType": choose((None, 0, 1, 2, 3)),
                    "tDate": choose(DAYS),
                    "tUnits": choose((None, Decimal("1.25"), Decimal(8))),
                    "tIsBillable": choose((True, True, False, None)),
                    "tClientInvoice": choose((None, 0, 1, 2, 3)),
                    **self._amounts(),
                }

    # -- events ------------------------------------------------------------------------------------

    def _tell(
        self, table: str, key: int, operation: Operation, unsent: Collection[str] = ()
    ) -> None:
        is_read = operation is Operation.READ
        row: dict[str, Value] = {}
        if operation is not Operation.DELETE:
            held = self.rows[table][key]
            row = {name: value for name, value in held.items() if name not in unsent}
        made = Event(
            table=table,
            key=str(key),
            operation=operation,
            row=row,
            position="" if is_read else position(len(self.events) + 1, self.epoch),
            place=TopicOffset(1, 0, 0),
            committed_at=NOON + timedelta(seconds=len(self.events)),
            epoch=self.epoch,
            snapshot_ended=not is_read,
        )
        self._append(table, key, made)

    def _append(self, table: str, key: int, made: Event) -> None:
        """What happens while nobody captures has no event."""
        if self._is_captured:
            at = table, key % PARTITIONS
            offset = self._offsets[at] = self._offsets.get(at, -1) + 1
            self.events.append(replace(made, place=TopicOffset(1, at[1], offset)))
