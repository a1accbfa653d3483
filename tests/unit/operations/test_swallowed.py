"""A firewall that swallows packets: neither a refusal nor an answer comes, of any service."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.errors import ExitCode
from tests.support.network import swallowing

# Each is given up after five seconds, all side by side: 5.3 s on an idle machine. One after another
# they would take 29.
TOLD_SECONDS = 15.0


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    """Settings in which everything is behind the firewall."""
    with swallowing() as address:
        database = f"postgresql://reader:x@{address}"
        raw = {
            "sources": {
                "ajera": {"database": f"{database}/ajera", "version": "9.08"},
                "dps": {"database": f"{database}/dps"},
            },
            "routes": {
                "pim": {"database": f"{database}/pim"},
                "dps": {"employees": "none", "consultants": "none"},
            },
            "kafka": {"bootstrap_servers": address},
            "registry": {"url": f"http://{address}"},
            "connect": {"url": f"http://{address}"},
        }
        config = tmp_path / "ajera-cdc.toml"
        config.write_text(tomli_w.dumps(raw))
        yield config


def test_status_says_within_seconds_that_nothing_answers(config: Path) -> None:
    """Every service is named, as unknown and not as well."""
    begun = time.monotonic()
    found = CliRunner().invoke(main, ["--config", str(config), "status", "--json"])
    assert time.monotonic() - begun < TOLD_SECONDS
    assert found.exit_code == ExitCode.ENVIRONMENT
    away = "\n".join(json.loads(found.stdout)["data"]["unavailable"])
    for service in ("Kafka at", "Kafka Connect", "PIM at", "DPS at", "Ajera at"):
        assert service in away


def test_lag_says_within_seconds_that_no_broker_answers(config: Path) -> None:
    """It asks nobody else."""
    begun = time.monotonic()
    found = CliRunner().invoke(main, ["--config", str(config), "lag"])
    assert time.monotonic() - begun < TOLD_SECONDS
    assert found.exit_code == ExitCode.ENVIRONMENT
    assert "Kafka at" in found.output
