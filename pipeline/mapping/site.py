"""The site profile: how one firm's databases differ from what we assume.
Everything here can be changed in a TOML file.

Names: canonical table and column names are Ajera's and PIM's own, as in the vendor's page; a
profile maps them to what this firm's databases call them. Assumptions:
each answers a gap listed in `docs/assumptions.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class OverflowPolicy(StrEnum):
    """What is done with a value that its column cannot hold."""

    CUT = "cut"
    REPLACE = "replace"
    REFUSE = "refuse"  # the row waits, with the column's name as the reason


class ColumnPolicy(_Model):
    """What is done with values that do not fit a target column;
    each case is counted in a metric.
    """

    too_long: Literal[OverflowPolicy.CUT, OverflowPolicy.REFUSE] = Field(
        default=OverflowPolicy.CUT,
        description="Text longer than the column: cut, or refuse.",
    )
    unencodable: Literal[OverflowPolicy.REPLACE, OverflowPolicy.REFUSE] = Field(
        default=OverflowPolicy.REPLACE,
        description=(
            "Characters that the column's code page lacks: replace by a question mark, or refuse."
        ),
    )
    null: Literal[OverflowPolicy.REPLACE, OverflowPolicy.REFUSE] = Field(
        default=OverflowPolicy.REFUSE,
        description="No value where the column requires one: replace by an empty text, or refuse.",
    )


class TableNames(_Model):
    """The name of a table at this site, and of those of its columns that differ."""

    name: str | None = None
    columns: Mapping[str, str] = Field(default_factory=dict)


class TargetNames(TableNames):
    """A target table's names,
    and the policies of those of its columns that differ from the default.
    """

    policies: Mapping[str, ColumnPolicy] = Field(default_factory=dict)


class Holds(StrEnum):
    """Which key a row of the key table holds."""

    NEXT = "next"
    LAST = "last"


class KeyTable(_Model):
    """A table of Ajera's with a row for each of its tables,
    from which keys of new rows are taken.
    """

    table: str = Field(description="Name of the key table, in the schema of Ajera's tables.")
    table_column: str = Field(description="Its column with the name of a table, one row each.")
    key_column: str = Field(description="Its column with a key of that table.")
    holds: Holds = Field(
        description="Which key that is: the `next` one to be given, or the `last` one that was."
    )
    names: Mapping[str, str] = Field(
        default_factory=dict,
        description=(
            "What tables are called in it, by canonical name, where not as in the database."
        ),
    )


def word(value: str) -> str:
    """A word of a list of words, as it is compared: without spaces and case."""
    return "".join(value.split()).casefold()


# Which CRM shows the accounting tabs; the words are those of the setting.
Crm = Literal["ajera_crm", "dps", "vantagepoint", "simple_crm"]
ActivityKind = Literal["labor", "expense", "consultant"]


class Assumptions(_Model):
    """What the vendor's page leaves open; the defaults are ours,
    the reasons in `docs/assumptions.md`.
    """

    status_texts: Mapping[int, str] = Field(
        default={
            0: "Preliminary",
            1: "Active",
            2: "Hold",
            3: "Work Hold",
            4: "Billing Hold",
            5: "Closed",
            6: "Marketing",
        },
        description="Text of each prjStatus code, as PIM shows it.",
    )
    completed_statuses: tuple[str, ...] = Field(
        default=("Closed",),
        description="Statuses that are created in PIM with Completed set.",
    )
    address_separator: str = Field(
        default=", ",
        description="Between the parts of PIM's one Address field.",
    )
    generated_code: str = Field(
        default="AJ-{key}",
        description="Project Code where Ajera has no Project ID; {key} is prjKey.",
    )
    duplicate_code: str = Field(
        default="{code}-{key}",
        description=(
            "Project Code where another project has that Project ID; {code} is the ID, {key} "
            "prjKey."
        ),
    )
    internal_organization: str = Field(
        default="Internal", description="Organization ID of all employees."
    )
    prefilled_title: str = Field(default="-", description="Title of a contact when it is created.")
    project_manager_role: str = Field(
        default="Project Manager",
        description="Role Type of prjProjectManager.",
    )
    principal_role: str = Field(
        default="Principal in Charge",
        description="Role Type of prjPrincipalInCharge.",
    )
    marketing_role: str = Field(
        default="Marketing Contact",
        description="Role Type of prjMarketingContact.",
    )
    employee_mobile: str = Field(
        default="vecPhone2",
        description="Ajera column of an employee's Mobile.",
    )
    employee_direct_dial: str = Field(
        default="vecPhone1",
        description="Ajera column of an employee's Direct Dial.",
    )

    crm: Crm = Field(
        default="dps",
        description=(
            "Which CRM shows the accounting tabs, and so which of them are written. `ajera_crm` "
            "(7.x): Ajera Totals, Budget & Revenue, and Team without dates. `dps` (1.x) and "
            "`vantagepoint`: all four. `simple_crm`: Dates & Costs, and Team."
        ),
    )
    closed_projects_follow: bool = Field(
        default=False,
        description=(
            "Are the accounting tabs of a closed project written. Otherwise they stay as they were "
            "when it was closed, until it is opened again."
        ),
    )
    marketing_phases_count: bool = Field(
        default=False,
        description="Do amounts, hours and budgets of phases whose status is Marketing count.",
    )
    activity_types: Mapping[int, ActivityKind] = Field(
        default={1: "labor", 2: "expense", 3: "consultant"},
        description=(
            "What a type of activity is (actType, rcActivityType, resActivityType): labor, expense "
            "or consultant. A type that is not named counts nowhere."
        ),
    )
    final_invoice_statuses: tuple[int, ...] = Field(
        default=(2,),
        description="Which values of ciStatus are a Final client invoice.",
    )
    fee_billing_types: tuple[str, ...] = Field(
        default=(
            "FixedFee",
            "PercentComplete",
            "UnitPrice",
            "PercentofConstructionCost",
        ),
        description=(
            "Which prjBillingType bill a fee, whatever their case and spaces; together with "
            "time_billing_types those that are billable."
        ),
    )
    time_billing_types: tuple[str, ...] = Field(
        default=("TimeAndExpense",),
        description="Which prjBillingType bill time and expense; likewise.",
    )
    balances_are_received: bool = Field(
        default=True,
        description="Was what a beginning balance says was billed also received.",
    )

    @field_validator("time_billing_types")
    @classmethod
    def _bills_one_way(cls, value: tuple[str, ...], found: ValidationInfo) -> tuple[str, ...]:
        both = {*map(word, value)} & {*map(word, found.data.get("fee_billing_types", ()))}
        if both:
            raise ValueError(f"{', '.join(sorted(both))} is in fee_billing_types, too")
        return value

    @field_validator("employee_mobile", "employee_direct_dial")
    @classmethod
    def _is_a_phone(cls, value: str) -> str:
        if value not in ("vecPhone1", "vecPhone2"):
            raise ValueError("must be vecPhone1 or vecPhone2")
        return value

    @field_validator("generated_code", "duplicate_code")
    @classmethod
    def _names_the_key(cls, value: str) -> str:
        if value.count("{key}") != 1:
            raise ValueError("must contain {key} once, or two projects could get one code")
        return value

    @field_validator("duplicate_code")
    @classmethod
    def _tells_code_and_key_apart(cls, value: str) -> str:
        if value.count("{code}") != 1 or "{code}{key}" in value or "{key}{code}" in value:
            raise ValueError("must contain {code} once, with something between it and {key}")
        return value


DEFAULT_POLICY = ColumnPolicy.model_construct()  # as it is declared: nothing is built for it


class Site(_Model):
    """A site profile. The default is the sample firm: every name as the vendor writes it.

    `source` names Ajera's and DPS's tables, `target` PIM's; of DPS's it holds the policies, and can
    name what is called otherwise where it is written.
    """

    source: Mapping[str, TableNames] = Field(default_factory=dict)
    target: Mapping[str, TargetNames] = Field(default_factory=dict)
    assumptions: Assumptions = Field(default_factory=Assumptions)
    keys: KeyTable | None = Field(
        default=None,
        description=(
            "The key table of Ajera, from which keys of rows that we create there are taken."
        ),
    )
    rules: Mapping[str, Literal["newest", "ajera", "dps", "manual", "create_only"]] = Field(
        default_factory=dict,
        description='Other rules for lines of the exchange with DPS: "firm.website" = "manual".',
    )

    def name_in_key_table(self, table: str) -> str:
        """What a table is called in the key table, if there is one."""
        return (self.keys.names if self.keys else {}).get(table, self.source_table(table))

    def source_table(self, table: str) -> str:
        names = self.source.get(table)
        return table if names is None or names.name is None else names.name

    def source_column(self, table: str, column: str) -> str:
        names = self.source.get(table)
        return column if names is None else names.columns.get(column, column)

    def target_table(self, table: str) -> str:
        """What a target table is called: DPS's as where it is captured."""
        names = self.target.get(table)
        if names is None or names.name is None:
            return self.source_table(table)
        return names.name

    def policy(self, table: str, column: str) -> ColumnPolicy:
        """The policy of a target column, by its canonical names."""
        names = self.target.get(table)
        return DEFAULT_POLICY if names is None else names.policies.get(column, DEFAULT_POLICY)

    def target_column(self, table: str, column: str) -> str:
        names = self.target.get(table)
        if names is None or column not in names.columns:
            return self.source_column(table, column)
        return names.columns[column]
