"""`ajera-cdc`: change data capture from Ajera to PIM, and both ways with DPS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.program import Commands, Listed, Program

if TYPE_CHECKING:
    from pipeline.domain.routes import Routes

EXIT_CODES = (
    "Exit codes: 0 ok, 1 a run failed, 2 wrong usage or configuration, "
    "3 something needed is missing or unavailable, 4 something is wrong that may end by itself, "
    "5 a person is needed, 130 interrupted."
)
COMMANDS = {
    "audit": Listed(
        "pipeline.cli.audit:audit",
        "Who changed something by a command, when (UTC), what and how it ended; the newest first.",
    ),
    "backfill": Listed(
        "pipeline.cli.backfill:backfill",
        "Read rows of one table from the source again, beside the stream.",
    ),
    "check": Listed(
        "pipeline.cli.check:check",
        "Check connectivity, privileges and schemas, and say what to grant or set.",
    ),
    "config": Listed(
        "pipeline.cli.config:configuration",
        "Show the settings in force, or print a file to fill in.",
    ),
    "conflicts": Listed(
        "pipeline.cli.conflicts:conflicts",
        "Show what met what in the exchange with DPS, and decide what is parked.",
    ),
    "connectors": Listed(
        "pipeline.cli.connectors:connectors",
        "Apply, show, restart, pause, stop and remove the sources' connectors.",
    ),
    "explain": Listed(
        "pipeline.cli.explain:explain",
        "What an error means for the firm, what to look at, what to type, and how to know that "
        "it is over.",
    ),
    "lag": Listed(
        "pipeline.cli.lag:lag",
        "Messages and seconds that each route is behind, and when its sources were seen.",
    ),
    "link": Listed(
        "pipeline.cli.link:link",
        "Link two filled systems for the first time: what matches is linked, what is ambiguous "
        "parked, the rest created.",
    ),
    "mappings": Listed(
        "pipeline.cli.mappings:mappings",
        "What is mapped to what.",
    ),
    "reference": Listed(
        "pipeline.cli.reference:reference",
        "Write the generated reference pages, or check that they are up to date (exit code 1 if "
        "not).",
    ),
    "replay": Listed(
        "pipeline.cli.replay:replay",
        "Set a stopped group back, so that its messages are read again when it starts.",
    ),
    "run": Listed(
        "pipeline.cli.run:run",
        "Run a consumer of a route, in the foreground.",
    ),
    "schema": Listed(
        "pipeline.cli.schema:schema",
        "Show or upgrade our own tables: in the target database of each route, and with "
        "[routes.dps] in the DPS and Ajera databases.",
    ),
    "skip": Listed(
        "pipeline.cli.skip:skip",
        "Let a partition continue without messages that cannot be applied.",
    ),
    "status": Listed(
        "pipeline.cli.status:status",
        "Show what is wrong, the worst first; then each route: load state, events, parked rows.",
    ),
}


def program(routes: Callable[[], Routes]) -> Program:
    """The command line of a program with these routes, the ones and only that its commands know.
    They are asked for when a command needs them.
    """

    @click.group(
        cls=Program,
        commands=Commands(COMMANDS),
        epilog=EXIT_CODES,
        context_settings={
            "help_option_names": ["-h", "--help"],
            "max_content_width": 110,
            "obj": routes,
        },
    )
    @click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Settings file. Default: the environment's AJERA_CDC_CONFIG, else ajera-cdc.toml.",
    )
    @click.version_option(package_name="ajera-cdc")
    def main(config: Path | None) -> None:
        """Change data capture from Deltek Ajera to PIM,
        and both ways between Ajera and DPS/Vantagepoint.
        """
        del config  # read by the commands, through the context

    return main


def ours() -> Routes:
    """The routes of the product."""
    from pipeline.domain.routes import ROUTES

    return ROUTES


main = program(ours)

if __name__ == "__main__":
    main()
