"""The compose file: valid, complete, and the same connector files and settings as everywhere."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.sample.script import script
from pipeline.config.load import load
from pipeline.domain.routes import ROUTES
from pipeline.operations.connectors import configuration, topics_of

DEPLOY = Path(__file__).parents[3] / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::?[-?][^}]*)?\}")
ONE_SHOT = {"setup"}


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


@pytest.mark.parametrize("name", sorted(services()))
def test_a_service_has_an_image_or_is_built_and_says_when_it_is_healthy(
    name: str,
) -> None:
    """A service that ends by itself needs no health check."""
    service = services()[name]
    assert ("image" in service) != ("build" in service)
    assert name in ONE_SHOT or "healthcheck" in service
    if "image" in service:
        assert re.search(r":\$\{[A-Z_]+:-[\d.]+\}$", service["image"]), (
            "a pinned tag that can be overridden"
        )
    else:
        context = (COMPOSE.parent / service["build"]["context"]).resolve()
        assert (context / service["build"]["dockerfile"]).exists()


def test_services_wait_for_services_that_exist_and_mount_files_that_exist() -> None:
    """Nothing starts before what it needs is healthy."""
    for name, service in services().items():
        for other, wait in service.get("depends_on", {}).items():
            assert other in services(), name
            needed = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
            assert wait["condition"] == needed
        for volume in service.get("volumes", ()):
            source = str(volume).split(":")[0]
            assert not source.startswith("./") or (COMPOSE.parent / source).exists(), source


def test_every_variable_stands_in_the_example_and_ports_are_on_loopback() -> None:
    """A person copies the example and changes the password."""
    example = {
        line.split("=")[0]
        for line in (DEPLOY / "compose" / "env.example").read_text().splitlines()
        if "=" in line
    }
    text = COMPOSE.read_text()
    uncommented = "\n".join(line for line in text.splitlines() if not line.strip().startswith("#"))
    assert set(VARIABLE.findall(uncommented)) <= example
    for service in services().values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_the_settings_file_loads_with_the_environment_that_compose_gives() -> None:
    """And the same connector template is filled from it."""
    environment = {
        "AJERA_CDC_SOURCES__AJERA__DATABASE": "postgresql+psycopg://postgres:x@postgres:5432/ajera",
        "AJERA_CDC_ROUTES__PIM__DATABASE": "postgresql+psycopg://postgres:x@postgres:5432/pim",
    }
    assert environment.keys() <= services()["setup"]["environment"].keys()
    settings = load(DEPLOY / "compose" / "ajera-cdc.toml", environment, ROUTES)
    config = configuration(settings, epoch=1)
    assert config["database.hostname"] == "postgres"
    assert config["database.password"] == "${env:AJERA_CDC_SOURCE_PASSWORD}"
    assert "AJERA_CDC_SOURCE_PASSWORD" in services()["connect"]["environment"]
    assert {topic.name for topic in topics_of(settings)} >= {
        "ajera.AxVec",
        "__debezium-heartbeat.ajera",
    }


def test_the_databases_script_is_up_to_date() -> None:
    """`python -m deploy.sample.script` writes it."""
    assert (DEPLOY / "compose" / "databases.sql").read_text() == script()


def test_compose_itself_accepts_the_file() -> None:
    """Where the command is there; it needs no engine for this."""
    if shutil.which("docker") is None:
        pytest.skip("no docker command here")
    version = subprocess.run(
        ["docker", "compose", "version"],
        capture_output=True,
        timeout=30,
        check=False,
    )
    if version.returncode != 0:
        pytest.skip("docker without its compose plugin")
    command = [
        "docker",
        "compose",
        "-f",
        str(COMPOSE),
        "--env-file",
        str(DEPLOY / "compose" / "env.example"),
        "config",
        "-q",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
