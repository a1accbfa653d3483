"""What `make test` prints of its slowest files."""

from __future__ import annotations

from pathlib import Path

from tests.slowest import seconds_by_file, table

REPORT = """<testsuites><testsuite>
<testcase classname="tests.unit.test_a" name="one" time="1.5" />
<testcase classname="tests.unit.test_b" name="two" time="0.25" />
<testcase classname="tests.unit.test_a" name="three" time="2.0" />
</testsuite></testsuites>"""


def test_the_slowest_file_comes_first_with_the_sum_of_its_tests(tmp_path: Path) -> None:
    """Over all reports: one file may be in several lanes."""
    for name in ("one.xml", "two.xml"):
        (tmp_path / name).write_text(REPORT)
    found = seconds_by_file(sorted(tmp_path.iterdir()))
    assert found == {"tests.unit.test_a": 7.0, "tests.unit.test_b": 0.5}
    assert table(found, shown=1).splitlines() == [
        "The slowest files:",
        "     7.0 s  tests.unit.test_a",
        "     7.5 s  all 2 files",
    ]
