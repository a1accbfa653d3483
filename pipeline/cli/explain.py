"""`ajera-cdc explain`: the runbook page of an error or of a reason to park."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import click

from pipeline.cli.command import plain_command
from pipeline.cli.output import Outcome, columns
from pipeline.cli.values import Name
from pipeline.errors import UsageError, meanings
from pipeline.resources import runbook_directory


@plain_command("explain")
@click.argument("code", required=False, type=Name("the code"))
def explain(code: str | None) -> Outcome:
    """What an error means for the firm, what to look at, what to type, and how to know that it is
    over. Without CODE: every code with its meaning.
    """
    known = meanings()
    if code is None:
        return _listed(known)
    if code not in known:
        close = difflib.get_close_matches(code, known)
        guess = f"; did you mean {' or '.join(close)}?" if close else ": `explain` lists them."
        raise UsageError(f"there is no code {code}{guess}")
    text = page(code)
    return Outcome({"code": code, "page": text}, text.rstrip("\n"))


def page(code: str) -> str:
    """The text of a page."""
    return (runbook_directory() / f"{code}.md").read_text(encoding="utf-8")


def _listed(known: Mapping[str, str]) -> Outcome:
    table = columns("code", "meaning")
    for code, meaning in sorted(known.items()):
        table.add_row(code, meaning)
    return Outcome({"codes": dict(sorted(known.items()))}, table)
