"""The command line as a whole: which commands it has, and how wrong usage ends.

A command's module is imported when the command is called: `--help` and the completion of words
need none of them.
"""

from __future__ import annotations

import sys
from collections import UserDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class Listed:
    """A command that is not imported yet: where it is (`module:name`), and its first sentence."""

    place: str
    sentence: str

    def load(self) -> click.Command:
        module, _, name = self.place.partition(":")
        found: click.Command = getattr(import_module(module), name)
        return found


class Commands(UserDict[str, click.Command]):
    """Commands by name, each imported when it is asked for."""

    def __init__(self, listed: Mapping[str, Listed]) -> None:
        super().__init__()
        self.listed = listed

    def __getitem__(self, name: str) -> click.Command:
        if name not in self.data:
            self.data[name] = self.listed[name].load()
        return self.data[name]

    def __contains__(self, name: object) -> bool:
        return name in self.listed

    def __iter__(self) -> Iterator[str]:
        return iter(self.listed)

    def __len__(self) -> int:
        return len(self.listed)


class Program(click.Group):
    """The whole command line. Wrong usage ends as every other error does: with an envelope,
    if --json was among the words.
    """

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and first sentences, without importing a command."""
        if not isinstance(self.commands, Commands):
            raise TypeError("the commands of a program are listed")
        listed = self.commands.listed
        limit = formatter.width - 6 - max(map(len, listed))
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, click.Command(name, help=one.sentence).get_short_help_str(limit))
                    for name, one in sorted(listed.items())
                ]
            )

    def main(  # type: ignore[override] # all but `args` pass
        self, args: Sequence[str] | None = None, **options: Any
    ) -> Any:
        """Never returns, as click's own; raises SystemExit."""
        words = list(sys.argv[1:] if args is None else args)
        try:
            sys.exit(super().main(words, **{**options, "standalone_mode": False}))
        except (click.ClickException, click.Abort) as error:
            from pipeline.cli.errors import fail

            place = error.ctx if isinstance(error, click.UsageError) else None
            sys.exit(fail(path_of(place), "--json" in words, error))


def path_of(context: click.Context | None) -> str:
    """The words of the command below the program's name: "connectors apply"."""
    names: list[str] = []
    while context is not None and context.parent is not None:
        names.insert(0, context.info_name or "")
        context = context.parent
    return " ".join(names)
