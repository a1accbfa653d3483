"""Audit lines in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.model.audit import AuditEntry, AuditLine


@dataclass
class MemoryAuditTrail:
    """What was appended, numbered from 1."""

    database_user: str = "memory"
    lines: list[AuditLine] = field(default_factory=list)

    def append(self, entry: AuditEntry) -> None:
        self.lines.append(AuditLine(len(self.lines) + 1, entry, self.database_user))

    def newest(self, limit: int) -> list[AuditLine]:
        return self.lines[::-1][:limit]
