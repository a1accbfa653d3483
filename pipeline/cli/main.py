"""`ajera-cdc`: change data capture from Ajera to PIM, and both ways with DPS."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.audit import audit
from pipeline.cli.backfill import backfill
from pipeline.cli.check import check
from pipeline.cli.command import Program
from pipeline.cli.config import configuration
from pipeline.cli.conflicts import conflicts
from pipeline.cli.connectors import connectors
from pipeline.cli.explain import explain
from pipeline.cli.lag import lag
from pipeline.cli.link import link
from pipeline.cli.mappings import mappings
from pipeline.cli.reference import reference
from pipeline.cli.replay import replay
from pipeline.cli.run import run
from pipeline.cli.schema import schema
from pipeline.cli.status import status
from pipeline.domain.routes import ROUTES, Routes

EXIT_CODES = (
    "Exit codes: 0 ok, 1 a run failed, 2 wrong usage or configuration, "
    "3 something needed is missing or unavailable, 130 interrupted."
)
COMMANDS = (
    audit,
    backfill,
    check,
    configuration,
    conflicts,
    connectors,
    explain,
    lag,
    link,
    mappings,
    reference,
    replay,
    run,
    schema,
    status,
)


def program(routes: Routes) -> Program:
    """The command line of a program with these routes, the ones and only that its commands know."""

    @click.group(
        cls=Program,
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

    for each in COMMANDS:
        main.add_command(each)
    return main


main = program(ROUTES)

if __name__ == "__main__":
    main()
