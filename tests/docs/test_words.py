"""The pages use the words of the field and fit a screen; every folder and file that they name
exists, and the architecture names every folder.
"""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
WIDTH = 100
WRITTEN = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(
            page
            for page in DOCS.rglob("*.md")
            # decisions stay as they were made; generated pages take their words from the code
            if page.parent.name != "decisions"
            and (REFERENCE not in page.parents or page.name == "evidence.md")
            and page.name != "glossary.md"
        ),
    ]
)
INSTEAD = {
    r"anew": "again, re-created, new snapshot",
    r"away": "unavailable, removed",
    r"(?:is|are|was) told|told apart|told by": "reported, shown, distinguished by",
    r"tells? (?:of|apart)": "shows, reports, distinguishes",
    r"stands?|stood": "is, was",
    r"go(?:es|ing)? on|went on": "continues, resumes",
    r"to blame": "offending",
    r"(?:set|sets|setting) aside": "dead-lettered",
    r"in hand": "current, not finished",
    r"for ever": "always, without end",
    r"hangs? on|hung on|hanging on": "depends on, belongs to",
    r"judges?|judged": "oracle, compared with",
    r"mends?|mended": "fix",
    r"noted|noting": "staged, recorded",
    r"carr(?:y|ies|ied) over": "applied, copied",
    r"lives? through": "survives, simulates",
    r"whoever": "the process that, people who",
    r"for good": "permanently",
}
# Packages whose comments and docstrings were rewritten; one that follows is added here.
REWRITTEN = ("connect", "decoding", "kafka", "model", "telemetry")
MODULES = sorted(one for name in REWRITTEN for one in (ROOT / "pipeline" / name).rglob("*.py"))
QUOTED = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
MENTIONED = re.compile(r"`((?:pipeline|tests|deploy|schemas|connectors|docs)/[\w./-]+)`")
BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


def ids(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """A page without quoted code; of the guards, whose names a table repeats, only sentences."""
    lines = page.read_text().splitlines()
    if page.name == "guards.md":
        lines = [line for line in lines if not line.startswith("|")]
    return QUOTED.sub("", "\n".join(lines))


def poetry(text: str) -> list[str]:
    """What a text says in words of our own, each with what to write."""
    return [
        f"{hit[0]!r}: write {instead}"
        for word, instead in INSTEAD.items()
        for hit in re.finditer(rf"\b(?:{word})\b.{{0,40}}", text, re.IGNORECASE)
    ]


def remarks(module: Path) -> Iterator[str]:
    """Its comments and docstrings."""
    with module.open("rb") as opened:
        for token in tokenize.tokenize(opened.readline):
            if token.type == tokenize.COMMENT or token.string.startswith('"""'):
                yield QUOTED.sub("", token.string)


@pytest.mark.parametrize("page", WRITTEN, ids=ids)
def test_every_line_of_a_block_fits_100_columns(page: Path) -> None:
    """Blocks are shown as they are: a line that is wider is cut or scrolls."""
    for block in BLOCK.findall(page.read_text()):
        assert [line for line in block.splitlines() if len(line) > WIDTH] == []


def test_the_architecture_names_every_folder_of_the_pipeline() -> None:
    """A folder inside a package counts, too, unless it is data of its package."""
    page = (DOCS / "architecture.md").read_text()
    pipeline = ROOT / "pipeline"
    folders = {
        package.parent.relative_to(pipeline) for package in pipeline.glob("**/__init__.py")
    } - {Path()}
    assert folders
    for folder in sorted(folders):
        if len(folder.parts) == 1:
            assert re.search(rf"│ {folder.name}\b", page), f"{folder} is not in the layers"
        elif len(folder.parts) == 2:
            assert f"`{folder.as_posix()}`" in page, f"{folder} is not explained"


@pytest.mark.parametrize("page", WRITTEN, ids=ids)
def test_every_file_that_a_page_mentions_exists(page: Path) -> None:
    """A path in backquotes, from the top of the repository."""
    for mentioned in MENTIONED.findall(page.read_text()):
        assert (ROOT / mentioned).exists(), mentioned


@pytest.mark.parametrize("page", WRITTEN, ids=ids)
def test_no_page_uses_a_word_of_our_own_where_the_field_has_one(page: Path) -> None:
    """Quoted code is left alone; the failure says what to write."""
    assert poetry(prose(page)) == []


@pytest.mark.parametrize("module", MODULES, ids=ids)
def test_no_remark_in_the_code_uses_a_word_of_our_own(module: Path) -> None:
    """Comments and docstrings, in the packages where they were rewritten."""
    assert [found for text in remarks(module) for found in poetry(text)] == []
