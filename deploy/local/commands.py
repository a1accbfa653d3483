"""The embedded stack as a program: fetch it, or run it until Ctrl-C."""

from __future__ import annotations

import json
import signal
import sys
import threading

import click
from rich.console import Console
from rich.table import Table

from deploy.local.install import InstallFailed
from deploy.local.install import install as install_stack
from deploy.local.processes import PartFailed
from deploy.local.stack import running_stack
from deploy.starting import called

console = Console(stderr=True)


@click.group(invoke_without_command=True)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the addresses as one line of JSON.",
)
@click.pass_context
def main(context: click.Context, *, as_json: bool) -> None:
    """Run the embedded stack until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with running_stack(console.print) as stack:
        addresses = {
            "bootstrap": stack.bootstrap,
            "registry": stack.registry,
            "connect": stack.connect,
            "postgres": stack.postgres_url("postgres"),
        }
        if as_json:
            print(json.dumps(addresses), flush=True)
        else:
            table = Table("part", "address")
            for name, address in addresses.items():
                table.add_row(name, address)
            console.print(table)
            console.print("Ctrl-C stops everything.")
        stop.wait()


@main.command()
def install() -> None:
    """Fetch what the stack needs, once."""
    install_stack(console.print)


def run_command() -> None:
    """The program. Raises SystemExit, KeyboardInterrupt."""
    try:
        called(main)
    except (InstallFailed, PartFailed) as error:
        console.print(f"[red]{error}")
        sys.exit(3)
