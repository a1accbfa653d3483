"""`python -m tests.slowest REPORT...`: the files whose tests took longest, from JUnit reports."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

SHOWN = 10


def seconds_by_file(reports: list[Path]) -> Counter[str]:
    """Seconds in the tests of each file, with their fixtures."""
    found: Counter[str] = Counter()
    for report in reports:
        for case in ET.parse(report).getroot().iter("testcase"):
            found[case.attrib["classname"]] += float(case.attrib["time"])  # type: ignore[assignment]
    return found


def table(seconds: Counter[str], shown: int = SHOWN) -> str:
    """The slowest first, and what they are together with all others."""
    lines = [f"{time:8.1f} s  {name}" for name, time in seconds.most_common(shown)]
    total = sum(seconds.values())
    return "\n".join(["The slowest files:", *lines, f"{total:8.1f} s  all {len(seconds)} files"])


if __name__ == "__main__":
    print(table(seconds_by_file([Path(name) for name in sys.argv[1:]])))
