"""A program with one route more: every command knows it, and nothing in pipeline/ does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline.config.document import keys, template
from pipeline.config.load import load
from pipeline.domain.routes import AJERA_AND_DPS, AJERA_TO_PIM, ROUTES
from pipeline.errors import ConfigurationInvalid, ExitCode
from pipeline.wiring.route import routes_of
from pipeline.wiring.source import source_of
from tests.support.reporting import REPORTING
from tests.support.reporting.__main__ import main

WITH_REPORTING = (*ROUTES, REPORTING)
SETTINGS = """
[sources.ajera]
database = "postgresql+psycopg://reader:hunter2@127.0.0.1:1/ajera"
[routes.reporting]
database = "postgresql+psycopg://writer:hunter2@127.0.0.1:1/reporting"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings with Reporting alone; its services are away, which is noticed after a second."""
    monkeypatch.setattr("pipeline.kafka.admin.REQUEST_TIMEOUT_SECONDS", 1.0)
    path = tmp_path / "ajera-cdc.toml"
    path.write_text(SETTINGS)
    return path


def call(config: Path, *words: str, expect: int = 0) -> dict[str, Any]:
    """What a command answers."""
    done = CliRunner().invoke(main, ["--config", str(config), *words, "--json"])
    assert done.exit_code == expect, done.output
    assert "hunter2" not in done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_further_route_has_a_section_with_defaults_and_a_switch_for_each_entity(
    config: Path,
) -> None:
    """Named after it; those of the other routes stay as they are."""
    found = load(config, {}, WITH_REPORTING)
    own = found.routes.projection(REPORTING)
    assert (own.sync_schema, own.group) == ("sync", "ajera-cdc.ajera-to-reporting")
    assert own.dead_letter_topic == "ajera-cdc.ajera-to-reporting.dead"
    assert own.entities == {"clients"}
    assert found.routes.configured == (REPORTING,)
    known = {f"{section}.{key}" for section, key, _ in keys(WITH_REPORTING)}
    assert known >= {"routes.reporting.clients", "routes.pim.vendors", "routes.dps.group"}
    assert "routes.reporting.vendors" not in known


def test_an_unknown_key_of_a_further_route_is_refused(config: Path) -> None:
    """With the key that is meant; and a program without the route knows no such section."""
    config.write_text(SETTINGS + 'gruop = "x"\n')
    with pytest.raises(ConfigurationInvalid, match="did you mean group"):
        load(config, {}, WITH_REPORTING)
    config.write_text(SETTINGS)
    with pytest.raises(ConfigurationInvalid, match=r"routes\.reporting: there is no such key"):
        load(config, {}, ROUTES)
    config.write_text(SETTINGS + "clients = false\n")
    with pytest.raises(ConfigurationInvalid, match="every entity is switched off"):
        load(config, {}, WITH_REPORTING)


def test_the_template_offers_every_route_and_loads_as_it_is() -> None:
    """The first route is written out, the others are commented out."""
    text = template(WITH_REPORTING)
    assert "\n[routes.pim]\n" in text
    assert "\n# Ajera to Reporting: remove the # " in text
    assert "\n#[routes.reporting]\n" in text
    first = template((REPORTING, AJERA_TO_PIM))
    assert "\n[routes.reporting]\n" in first
    assert "ROUTES__REPORTING__DATABASE" in first
    assert "sources.dps" not in template((REPORTING,))


def test_a_route_captures_what_it_reads_and_no_more(config: Path) -> None:
    """Of a firm that has only this one; together with others the tables are the union."""
    found = load(config, {}, WITH_REPORTING)
    (route,) = routes_of(found)
    topics = ("ajera.AxVec", "ajera.AxProject", "ajera.AxInvoiceGroup")
    assert route.topics == source_of(found, "ajera").topics == topics
    config.write_text(SETTINGS + '[routes.pim]\ndatabase = "postgresql+psycopg://h/pim"\n')
    both = source_of(load(config, {}, WITH_REPORTING), "ajera")
    assert set(both.topics) == {*topics, "ajera.AxContact", "ajera.AxResource"}
    assert [one.database for one in both.states] == ["pim", "reporting"]


@pytest.mark.parametrize("words", [("lag",), ("run",), ("replay", "--topic", "x")], ids=" ".join)
def test_a_command_takes_the_names_of_the_programs_routes(
    config: Path, words: tuple[str, ...]
) -> None:
    """The help lists them; another name is wrong usage."""
    shown = CliRunner().invoke(main, [*words, "--help"]).output
    assert "[pim|dps|accounting|reporting]" in shown
    call(config, *words, "--route", "nonsense", expect=ExitCode.USAGE)
    error = call(config, *words, "--route", "pim", expect=ExitCode.USAGE)["error"]
    assert "routes.pim: there is no such section" in error["message"] or words[0] == "replay"


def test_the_mappings_of_a_further_route_are_shown(config: Path) -> None:
    """Line by line, with the target's name over its columns; its entities alone can be chosen."""
    (table,) = call(config, "mappings", "show", "reporting", "--entity", "clients")["data"][
        "tables"
    ]
    assert (table["source"], table["target"]) == ("AxVec", "Client Report")
    assert [line["target"] for line in table["lines"]][-1] == "Newest Project"
    shown = CliRunner().invoke(main, ["--config", str(config), "mappings", "show", "reporting"])
    assert "Reporting field" in shown.stdout
    wrong = ("mappings", "show", "reporting", "--entity", "vendors")
    assert "clients" in call(config, *wrong, expect=ExitCode.USAGE)["error"]["message"]


def test_check_and_status_tell_of_a_further_route_by_its_name(config: Path) -> None:
    """An area of its own, called after the target;
    and nothing of routes that are not configured.
    """
    lines = call(config, "check", "--only", "reporting", expect=ExitCode.ENVIRONMENT)["data"][
        "lines"
    ]
    assert {line["area"] for line in lines} == {"Reporting"}
    found = call(config, "status", expect=ExitCode.ENVIRONMENT)["data"]
    assert [(route["name"], route["title"]) for route in found["routes"]] == [
        ("reporting", "Ajera to Reporting")
    ]


def test_the_settings_of_a_further_route_are_shown_without_its_password(config: Path) -> None:
    """Its database is an address like any other."""
    shown = call(config, "config", "show")["data"]["routes"]
    assert "***" in shown["reporting"]["database"]
    assert (shown["reporting"]["clients"], shown["pim"], shown["dps"]) == (True, None, None)


def test_every_route_of_the_list_has_a_name_and_a_target_of_its_own() -> None:
    """They are sections, choices and areas."""
    assert len({route.name for route in WITH_REPORTING}) == len(WITH_REPORTING)
    assert AJERA_TO_PIM.target_system != REPORTING.target_system
    assert AJERA_AND_DPS.name not in (AJERA_TO_PIM.name, REPORTING.name)
