"""Settings: all faults at once, the environment over the file, and no secret in any text."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from pipeline.config import Settings, keys, load, template
from pipeline.errors import ConfigurationInvalid, EditionUnsupported, PipelineError, ProfileInvalid

PASSWORD = "hunter2-canary"
URLS = f"""
[ajera]
database = "postgresql+psycopg://a:{PASSWORD}@host/ajera"
[pim]
database = "mssql+pyodbc://b:{PASSWORD}@host/PIM?driver=ODBC+Driver+18+for+SQL+Server"
"""


def settings(tmp_path: Path, text: str = "", environ: dict[str, str] | None = None) -> Settings:
    path = tmp_path / "ajera-cdc.toml"
    path.write_text(URLS + text)
    return load(path, environ or {})


def fault(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> PipelineError:
    with pytest.raises(PipelineError) as raised:
        settings(tmp_path, text, environ).site()
    assert PASSWORD not in raised.value.sentence
    return raised.value


def test_all_faults_are_told_at_once_by_key_and_without_values(tmp_path: Path) -> None:
    """A misspelt key is told with the one that was meant."""
    text = '[kafka]\nbootstrp = "x"\npartitions = 0\n[run]\nbatch_size = "many"\n'
    told = str(fault(tmp_path, text))
    assert "kafka.bootstrp: there is no such key; did you mean bootstrap?" in told
    assert "kafka.partitions" in told
    assert "run.batch_size" in told


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    """AJERA_CDC_<SECTION>__<KEY>, for every key."""
    found = settings(
        tmp_path, '[kafka]\ngroup = "file"\n', {"AJERA_CDC_KAFKA__GROUP": "env", "AJERA_CDC_PIM__CLIENTS": "false"}
    )
    assert found.kafka.group == "env"
    assert found.pim.entities == {"projects", "contacts", "employees", "vendors"}


def test_a_secret_is_in_no_text_that_is_shown(tmp_path: Path) -> None:
    """Neither in what `config show` prints, nor in the settings' own text."""
    found = settings(tmp_path, f'[kafka.client]\n"sasl.password" = "{PASSWORD}"\n')
    assert PASSWORD not in repr(found)
    assert PASSWORD not in str(found.shown())
    assert found.shown()["ajera"]["database"] == "postgresql+psycopg://a:***@host/ajera"


@pytest.mark.parametrize("edition", ["ajeraCore", "ajeraCore + add-ons"])
def test_the_editions_without_a_pim_integration_are_refused(tmp_path: Path, edition: str) -> None:
    """Seed 003, first line."""
    with pytest.raises(EditionUnsupported, match="ajeraCore") as raised:
        settings(tmp_path, environ={"AJERA_CDC_AJERA__EDITION": edition})
    assert "not available in ajeraCore" in raised.value.sentence


def test_the_employee_phone_map_follows_crms_when_crm_is_on(tmp_path: Path) -> None:
    """Seed 003, the note below Employees."""
    swapped = '[crm]\nenabled = {}\nemployee_mobile = "vecPhone1"\nemployee_direct_dial = "vecPhone2"\n'
    on = settings(tmp_path, swapped.format("true")).site().assumptions
    off = settings(tmp_path, swapped.format("false")).site().assumptions
    assert (on.employee_mobile, on.employee_direct_dial) == ("vecPhone1", "vecPhone2")
    assert (off.employee_mobile, off.employee_direct_dial) == ("vecPhone2", "vecPhone1")


def test_a_database_address_of_another_kind_is_refused_without_being_repeated(tmp_path: Path) -> None:
    """It holds a password."""
    error = fault(tmp_path, "", {"AJERA_CDC_PIM__DATABASE": f"mysql://u:{PASSWORD}@h/d"})
    assert isinstance(error, ConfigurationInvalid)
    assert "pim.database: must begin with" in str(error)


def test_a_route_without_any_entity_is_refused(tmp_path: Path) -> None:
    """It would consume everything and do nothing."""
    names = ("projects", "clients", "contacts", "employees", "vendors")
    off = {f"AJERA_CDC_PIM__{name.upper()}": "false" for name in names}
    assert "every entity is switched off" in str(fault(tmp_path, "", off))


def test_a_profile_lies_beside_the_settings_file_and_its_faults_are_told(tmp_path: Path) -> None:
    """Relative paths are relative to the file that holds them."""
    (tmp_path / "site.toml").write_text('[assumptions]\naddress_separator = " | "\n')
    environ = {"AJERA_CDC_PROFILE": "x"}  # no section: not ours to read
    found = settings(tmp_path, "", environ)
    assert found.profile is None
    path = tmp_path / "ajera-cdc.toml"
    path.write_text('profile = "site.toml"\n' + URLS)
    assert load(path, {}).site().assumptions.address_separator == " | "
    (tmp_path / "site.toml").write_text('[assumptions]\ngenerated_code = "X"\naddress_seperator = ""\n')
    with pytest.raises(ProfileInvalid, match="must contain") as raised:
        load(path, {}).site()
    assert "address_seperator: there is no such key; did you mean address_separator?" in str(raised.value)


def test_the_template_is_a_valid_file_with_every_key_documented_in_place() -> None:
    """Uncommented it loads, and each key has its description above it."""
    text = template()
    uncommented = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)
    raw = tomllib.loads(uncommented)
    for section, key, field in keys():
        assert key in (raw if section == "" else raw[section]), key
        assert f"# {field.description}" in text
