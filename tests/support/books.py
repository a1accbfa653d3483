"""Random histories of a firm's books in Ajera: what its people do, and the events that say so."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from pipeline.domain import ajera
from pipeline.model.event import Event, Operation, Row, Value
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
    _offsets: dict[tuple[str, int], int] = field(default_factory=dict)

    def begin(self) -> None:
        """A firm with most of its rows, and with every row that others may wait for."""
        for table, most in KEYS.items():
            for key in range(1, most + 1):
                if table in THERE or self.rng.random() < 0.8:
                    self._put(table, key)

    def work(self, steps: int) -> None:
        """So many things that people do."""
        doings: tuple[tuple[int, Callable[[], None]], ...] = (
            *((6, self._enter), (4, self._rewrite), (3, self._strike_out), (2, self._delete)),
            *((4, self._move_transaction), (4, self._move_phase), (3, self._retype)),
            *((4, self._invoice), (2, self._rename), (3, self._close), (4, self._anything)),
            *((2, self._snapshot), (1, self._again)),
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

    def _again(self) -> None:
        """What was published is published once more, behind what came after it."""
        if self.events:
            one = self.rng.choice(self.events)
            if one.operation is not Operation.READ:
                self._append(one.table, int(one.key), one.operation, one.row, one.position)

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
        self.rows[table][key] = dict.fromkeys(one.name for one in TABLES[table].columns) | row
        self._tell(table, key, Operation.UPDATE)

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

    def _tell(self, table: str, key: int, operation: Operation) -> None:
        at = "" if operation is Operation.READ else position(len(self.events) + 1)
        row = {} if operation is Operation.DELETE else dict(self.rows[table][key])
        self._append(table, key, operation, row, at)

    def _append(
        self, table: str, key: int, operation: Operation, row: Row, position_of: str
    ) -> None:
        partition = key % PARTITIONS
        offset = self._offsets[table, partition] = self._offsets.get((table, partition), -1) + 1
        self.events.append(
            Event(
                table=table,
                key=str(key),
                operation=operation,
                row=row,
                position=position_of,
                place=TopicOffset(1, partition, offset),
                committed_at=NOON + timedelta(seconds=len(self.events)),
                epoch=1,
                snapshot_ended=operation is not Operation.READ,
            )
        )
