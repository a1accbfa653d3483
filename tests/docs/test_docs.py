"""Docs that cannot fall behind: links lead somewhere, and what is named exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import click
import pytest

from pipeline.cli.main import main
from pipeline.cli.reference import pages
from pipeline.config.document import keys, template
from pipeline.domain.routes import ROUTES
from pipeline.errors import ParkReason, PipelineError
from pipeline.telemetry.metrics import METRICS

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
)
WRITTEN = [page for page in PAGES if "reference" not in page.parts]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
LABEL = re.compile(
    r"\b(?:GH|CRM|MOS|QX)-[A-Z0-9]+\b|\bDPS-(?:FCT|CNT|BR|DC|TEAM)\b|\bS-(?:PIM|DPS)\b"
)
COMMAND = re.compile(r"`ajera-cdc ([a-z][a-z -]*)")
CODE = re.compile(
    r"`((?:config|cli|environment|schema|decode|registry|mapping"
    r"|target|kafka|source|replay|connect|park|row|exchange|internal)\.[a-z_]+)`"
)
METRIC = re.compile(r"pipeline_[a-z_]+")
NOT_ERRORS = {
    *ParkReason,
    "internal.unexpected",
    "source.sequence",
}


def ids(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    """Links to the web are not followed."""
    for target in LINK.findall(page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", WRITTEN, ids=ids)
def test_every_command_that_is_mentioned_exists(page: Path) -> None:
    """The first words after `ajera-cdc` are those of a command."""
    for words in COMMAND.findall(page.read_text()):
        command: click.Command = main
        for word in words.split():
            if not isinstance(command, click.Group):
                break
            assert word in command.commands, f"ajera-cdc {words}"
            command = command.commands[word]


@pytest.mark.parametrize("page", WRITTEN, ids=ids)
def test_every_error_code_and_metric_that_is_mentioned_exists(
    page: Path,
) -> None:
    """Setting names of the same form count as well."""
    text = page.read_text()
    known = {error.code for error in PipelineError.__subclasses__()} | NOT_ERRORS
    known |= {f"{section}.{key}" for section, key, _ in keys(ROUTES)}
    assert set(CODE.findall(text)) <= known
    names = {metric.name for metric in METRICS}
    assert set(METRIC.findall(text)) <= names


def test_every_label_that_a_map_or_a_contract_cites_is_explained() -> None:
    """In the list of sources on the page of evidence; CRM-* are one row."""
    explained = set(
        LABEL.findall((ROOT / "docs" / "reference" / "evidence.md").read_text().split("## 1.")[0])
    )
    cited = [
        *(ROOT / "pipeline" / "domain").glob("*.py"),
        *(ROOT / "schemas").rglob("*.avsc"),
    ]
    for path in cited:
        assert set(LABEL.findall(path.read_text())) <= explained, path


def test_the_index_lists_every_page() -> None:
    """A page that nothing leads to is not read; decisions are listed by their folder, pages of the
    runbook by an index of their own.
    """
    index = (ROOT / "docs" / "README.md").read_text()
    for page in (ROOT / "docs").rglob("*.md"):
        if page.parent.name not in ("decisions", "runbook") and page.name != "README.md":
            assert f"({page.relative_to(ROOT / 'docs')})" in index, page


def test_no_file_refers_to_a_document_that_is_not_here() -> None:
    """Whoever reads a note must be able to look it up: the name of a page anywhere in code,
    schemas, tests and pages.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    names = [name for name in listed.split("\0") if name]
    pages_here = {Path(name).name for name in names if name.endswith(".md")} | {"NAME.md"}
    for name in names:
        if Path(name).suffix in {
            ".py",
            ".md",
            ".toml",
            ".avsc",
            ".json",
            ".yaml",
        }:
            named = set(re.findall(r"\w[\w.-]*\.md\b", (ROOT / name).read_text()))
            assert named <= pages_here, f"{name}: {named - pages_here}"


def test_the_generated_reference_is_up_to_date() -> None:
    """`make reference` writes it."""
    for name, text in pages(main, ROUTES).items():
        assert (ROOT / "docs" / "reference" / name).read_text() == text, name


def test_the_example_settings_are_the_template() -> None:
    """`ajera-cdc config template` prints the same."""
    assert (ROOT / "ajera-cdc.example.toml").read_text() == template(ROUTES)


def test_no_tracked_file_names_a_package_registrys_host_or_a_path_of_a_machine() -> None:
    """Lock files hold names and versions only."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    hosts = re.compile(
        "py" + r"pi\.org|pythonhosted\.|repo1?\.maven|registry\.npm" + r"js|/ro" + "ot/|/wo" + "rk/"
    )
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if (
            path.suffix
            in {
                ".py",
                ".md",
                ".toml",
                ".lock",
                ".xml",
                ".json",
                ".yaml",
                ".yml",
                ".txt",
            }
            or path.name == "Makefile"
        ):
            assert not hosts.search(path.read_text()), name
