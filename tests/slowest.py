"""`python -m tests.slowest REPORT...`: the files whose tests took longest, from JUnit reports."""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

SHOWN = 10


def seconds_by_file(reports: list[Path]) -> dict[str, float]:
    """Seconds in the tests of each file, with their fixtures."""
    found: defaultdict[str, float] = defaultdict(float)
    for report in reports:
        for case in ET.parse(report).getroot().iter("testcase"):
            found[case.attrib["classname"]] += float(case.attrib["time"])
    return found


def table(seconds: dict[str, float], shown: int = SHOWN) -> str:
    """The slowest first, and what they are together with all others."""
    slowest = sorted(seconds.items(), key=lambda one: one[1], reverse=True)
    lines = [f"{time:8.1f} s  {name}" for name, time in slowest[:shown]]
    total = sum(seconds.values())
    return "\n".join(["The slowest files:", *lines, f"{total:8.1f} s  all {len(seconds)} files"])


if __name__ == "__main__":
    print(table(seconds_by_file([Path(name) for name in sys.argv[1:]])))
