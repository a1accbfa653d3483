"""The runbook as the person on call uses it: pages, their commands, and typing them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from click.testing import CliRunner

from pipeline.cli.explain import page
from pipeline.cli.main import main
from pipeline.domain.routes import ROUTES
from tests.docs.runbook import LOOK, OVER, SECTIONS, TYPE

PROGRAM = "ajera-cdc"
HELP = main.context_settings["help_option_names"]  # a command keeps those it is first asked by
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# What a person puts in place of the words in capitals, where a test has nothing better.
SAMPLES = {
    "AREA": "PIM",
    "CODE": "target.busy",
    "KEY": "1",
    "LINE": "name",
    "LINK": "l1",
    "NUMBER": "1",
    "OFFSET": "0",
    "PARTITION": "0",
    "ROUTE": "pim",
    "SOURCE": "ajera",
    "TABLE": "AxVec",
    "TIME": "2026-11-25T08:00:00Z",
    "TOPIC": "ajera.AxVec",
}
PLACEHOLDER = re.compile(rf"\b(?:{'|'.join(SAMPLES)})\b")


@dataclass(frozen=True, slots=True)
class Answer:
    """A command that was typed, what the terminal showed, and its exit code."""

    command: str
    shown: str
    exit_code: int


def nothing(_: str) -> None:
    """What a person does after a command where nothing is said."""


def sections(text: str) -> dict[str, str]:
    """The texts of a page by their headings."""
    parts = HEADING.split(text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def commands(text: str) -> list[str]:
    """The lines of a section's blocks, in their order."""
    return [line for block in BLOCK.findall(text) for line in block.splitlines()]


def filled(command: str, **words: str) -> list[str]:
    """The words of a command without the program's name; placeholders are filled."""
    known = SAMPLES | words
    program, *rest = shlex.split(PLACEHOLDER.sub(lambda found: known[found[0]], command))
    assert program == PROGRAM, f"not one of our commands: {command}"
    return rest


def parse(command: str) -> None:
    """Parse a command as the program does, and call nothing.
    Raises click.UsageError, also for a command that does not exist.
    """
    words = filled(command)
    context: click.Context = click.Context(
        main, info_name=PROGRAM, obj=lambda: ROUTES, help_option_names=HELP
    )
    inner: click.Command = main
    while isinstance(inner, click.Group) and words and not words[0].startswith("-"):
        name, found, words = inner.resolve_command(context, words)
        assert name is not None
        assert found is not None
        inner, context = (
            found,
            click.Context(found, parent=context, info_name=name, obj=lambda: ROUTES),
        )
    if words in (["--help"], ["-h"]):
        return
    assert not isinstance(inner, click.Group), f"not a whole command: {command}"
    inner.make_context(inner.name or "", words, parent=context.parent)


@dataclass(frozen=True)
class OnCall:
    """A person with a settings file and a page. `words` fill the page's placeholders."""

    config: Path
    code: str

    @property
    def typed(self) -> tuple[str, ...]:
        """What the page says to type."""
        return tuple(commands(sections(page(self.code))[TYPE]))

    def look(self, **words: str) -> str:
        """Type what the page says to look at; what was shown."""
        return "".join(answer.shown for answer in self._typed(LOOK, words))

    def heal(self, by_hand: Callable[[str], None] = nothing, /, **words: str) -> None:
        """Type what the page says to type; every command must succeed. `by_hand` is what else it
        says to do, after each command.
        """
        for answer in self.typing(**words):
            assert answer.exit_code == 0, f"{answer.command}: {answer.shown}"
            by_hand(answer.command)

    def typing(self, **words: str) -> Iterator[Answer]:
        """Type what the page says to type, whatever is answered."""
        return self._typed(TYPE, words)

    def is_over(self, **words: str) -> bool:
        """Type what the page says by which one knows: nothing fails, or names the code."""
        answers = list(self._typed(OVER, words))
        return all(one.exit_code == 0 and self.code not in one.shown for one in answers)

    def type_(self, command: str, **words: str) -> Answer:
        """One command, as the page writes it, for a terminal of 200 columns."""
        done = CliRunner(env={"COLUMNS": "200"}).invoke(
            main, ["--config", str(self.config), *filled(command, **words)]
        )
        assert "internal.unexpected" not in done.output, f"{command}: {done.output}"
        return Answer(command, done.output, done.exit_code)

    def _typed(self, section: str, words: dict[str, str]) -> Iterator[Answer]:
        for command in commands(sections(page(self.code))[section]):
            yield self.type_(command, **words)


__all__ = ["SECTIONS", "Answer", "OnCall", "commands", "filled", "parse", "sections"]
