"""The generated reference: complete, and checked."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from pipeline.cli.main import main


def test_a_check_names_the_pages_that_are_not_up_to_date(
    tmp_path: Path,
) -> None:
    """One was changed, one is not there; exit code 1."""
    runner = CliRunner()
    assert runner.invoke(main, ["reference", "--write", str(tmp_path)]).exit_code == 0
    assert runner.invoke(main, ["reference", "--check", str(tmp_path)]).exit_code == 0
    (tmp_path / "errors.md").write_text("changed")
    (tmp_path / "mappings" / "pim.md").unlink()
    result = runner.invoke(main, ["reference", "--check", str(tmp_path), "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["data"]["stale"] == [
        "errors.md",
        "mappings/pim.md",
    ]
