"""Tables of our own in a source: `connectors apply` creates them, or tells a person how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Engine

from pipeline.database.sql.dialect import Dialect
from pipeline.database.sql.engine import dialect_of
from pipeline.errors import PipelineError
from pipeline.wiring.source import Source

Report = Callable[[str], None]


class Table(Protocol):
    """A table that may be missing."""

    def is_ready(self) -> bool: ...
    def create(self) -> None: ...


@dataclass(frozen=True, slots=True)
class OwnTable:
    """A kind of them. `setting` of the source names it, as schema.table; `rights` are what the
    connector's user needs on it.
    """

    what: str
    setting: str
    rights: str
    table: Callable[[Engine, str, str], Table]
    creation: Callable[[Dialect, str, str], tuple[str, ...]]

    def names(self, source: Source) -> tuple[str, str]:
        """Schema and name."""
        schema, _, table = self.name(source).partition(".")
        return schema, table

    def name(self, source: Source) -> str:
        """As the setting has it; "" where it is switched off."""
        return str(getattr(source.settings, self.setting))

    def prepared(self, source: Source, report: Report, *, is_known: bool) -> str:
        """Create it where it is missing; why there is none, "" if there is.

        A user who may not create it, or a source that we do not reach, is captured all the same.
        `is_known`: the connector has it already; then a source that is not reached now changes
        nothing.
        """
        if not self.name(source):
            return f"sources.{source.system}.{self.setting} is empty."
        engine = source.engine()
        try:
            table = self.table(engine, *self.names(source))
            try:
                if table.is_ready():
                    return ""
            except PipelineError as error:
                return "" if is_known else self.lacking(source, str(error))
            try:
                table.create()
            except PipelineError as error:
                return self.lacking(source, str(error))
        finally:
            engine.dispose()
        report(f"created the {self.what} {self.name(source)}")
        return ""

    def lacking(self, source: Source, why: str) -> str:
        """How a person creates it."""
        engine = source.engine()
        try:
            statements = "; ".join(self.creation(dialect_of(engine), *self.names(source)))
        finally:
            engine.dispose()
        return (
            f"the {self.what} {self.name(source)} cannot be created ({why}); somebody who may: "
            f"{statements}; then GRANT {self.rights} on it to the connector's user, and"
            f" `ajera-cdc connectors apply --source {source.system}`."
        )
