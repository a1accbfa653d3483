"""The runbook: its index, and a skeleton for each code that has no page yet.
`python -m tests.docs.runbook` writes both; the text of a page is written by hand and kept.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import hint_of, meanings

FOLDER = Path(__file__).parents[2] / "docs" / "runbook"
INDEX = FOLDER / "README.md"
FIRM = "What it means for the firm"
LOOK = "What to look at"
TYPE = "What to type"
OVER = "How to know that it is over"
SECTIONS = (FIRM, LOOK, TYPE, OVER)
UNWRITTEN = "(to be written)"
HEAD = (
    "<!-- Written by `make reference`; a test keeps it up to date. -->\n"
    "# Runbook\n\n"
    "A page for every error and every reason to park. `ajera-cdc explain CODE` prints it. Words in "
    "capitals are\nplaceholders: `status`, `lag` and the message name the topic, partition or link "
    "that is meant.\n\n| code | meaning |\n|---|---|\n"
)


def index() -> str:
    """The page that lists all pages."""
    rows = (f"| [`{code}`]({code}.md) | {text} |\n" for code, text in sorted(meanings().items()))
    return HEAD + "".join(rows)


def skeleton(code: str) -> str:
    """What the table of errors knows of a code, under the headings of a page."""
    known = {FIRM: f"{meanings()[code]} {UNWRITTEN}", TYPE: f"{hint_of(code)} {UNWRITTEN}".strip()}
    parts = [f"## {title}\n\n{known.get(title, UNWRITTEN)}\n" for title in SECTIONS]
    return "\n".join([f"# {code}\n", *parts])


def write() -> None:
    INDEX.write_text(index(), encoding="utf-8")
    for code in meanings():
        path = FOLDER / f"{code}.md"
        if not path.exists():
            path.write_text(skeleton(code), encoding="utf-8")


if __name__ == "__main__":
    write()
