"""Pages of faults in settings and arguments: nothing is needed to try them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.runbook import OnCall

SETTINGS = """
[sources.ajera]
database = "postgresql+psycopg://reader:x@127.0.0.1:1/ajera"
edition = "ajera"
version = "9.08"
[sources.dps]
database = "postgresql+psycopg://both:x@127.0.0.1:1/dps"
[routes.pim]
database = "postgresql+psycopg://writer:x@127.0.0.1:1/pim"
[routes.dps]
employees = "none"
consultants = "none"
"""
Fault = Callable[[Path], None]


def replaced(old: str, new: str) -> Fault:
    """A line of the settings that somebody typed wrong."""

    def write(config: Path) -> None:
        assert old in SETTINGS
        config.write_text(SETTINGS.replace(old, new))

    return write


def with_profile(config: Path) -> None:
    (config.parent / "site.toml").write_text('[source.Nothing]\nname = "x"\n')
    config.write_text(f'profile = "site.toml"\n{SETTINGS}')


@dataclass(frozen=True)
class Story:
    """The fault, and the command that ends with the code."""

    fault: Fault
    command: str


STORIES = {
    "config.invalid": Story(replaced("[routes.pim]", "[routes.pmi]"), "ajera-cdc config show"),
    "config.edition": Story(replaced('"ajera"\n', '"ajeraCore"\n'), "ajera-cdc config show"),
    "config.profile": Story(with_profile, "ajera-cdc mappings show"),
}


@pytest.mark.parametrize("code", STORIES)
def test_settings_that_were_corrected_as_the_page_says_are_taken(code: str, tmp_path: Path) -> None:
    """Before, the command ends with the code; its last line says how the page is found."""
    person = OnCall(tmp_path / "ajera-cdc.toml", code)
    STORIES[code].fault(person.config)
    refused = person.type_(STORIES[code].command)
    assert (refused.exit_code, refused.shown.split(":")[0]) == (2, code)
    assert f"explain {code}" in refused.shown
    person.look()
    person.config.write_text(SETTINGS)
    person.heal()
    assert person.is_over()


def test_a_command_that_was_typed_wrong_is_found_in_its_help(tmp_path: Path) -> None:
    """Nothing was changed by the wrong one."""
    person = OnCall(tmp_path / "ajera-cdc.toml", "cli.usage")
    person.config.write_text(SETTINGS)
    refused = person.type_("ajera-cdc status --rote pim")
    assert refused.exit_code == 2
    assert "--help" in refused.shown
    assert "status" in person.look()
    person.heal()
