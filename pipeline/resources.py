"""Where the files of the package are: beside it in a checkout, inside it in an installed wheel."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def schemas_directory() -> Path:
    """The folder of the source tables' contracts: `<system>/<Table>.avsc`."""
    return _directory("schemas")


def connectors_directory() -> Path:
    """The folder of the connector templates:
    `<system>-<dialect>.json` and `converter-<registry kind>.json`.
    """
    return _directory("connectors")


def runbook_directory() -> Path:
    """The folder of the pages for the person on call: `<code>.md`."""
    return _directory("runbook", "docs/runbook")


def _directory(name: str, checkout: str | None = None) -> Path:
    installed = PACKAGE / f"_{name}"
    return installed if installed.is_dir() else PACKAGE.parent / (checkout or name)
