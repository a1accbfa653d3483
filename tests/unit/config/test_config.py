"""Settings: all faults at once, the environment over the file, and no secret in any text."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from pathlib import Path

import pytest

from pipeline.config.document import keys, reference, template
from pipeline.config.load import load
from pipeline.config.renamed import RENAMED
from pipeline.config.routes import sections_for
from pipeline.config.settings import Settings
from pipeline.domain.routes import AJERA_TO_PIM, ROUTES
from pipeline.errors import (
    ConfigurationInvalid,
    EditionUnsupported,
    PipelineError,
)
from pipeline.wiring.route import routes_of

PASSWORD = "hunter2-canary"
URLS = f"""
[sources.ajera]
database = "postgresql+psycopg://a:{PASSWORD}@host/ajera"
[routes.pim]
database = "mssql+pyodbc://b:{PASSWORD}@host/PIM?driver=ODBC+Driver+18+for+SQL+Server"
"""


def settings(tmp_path: Path, text: str = "", environ: dict[str, str] | None = None) -> Settings:
    path = tmp_path / "ajera-cdc.toml"
    path.write_text(URLS + text)
    return load(path, environ or {}, ROUTES)


def fault(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> PipelineError:
    with pytest.raises(PipelineError) as raised:
        _ = settings(tmp_path, text, environ).site
    assert PASSWORD not in raised.value.sentence
    return raised.value


def test_all_faults_are_told_at_once_by_key_and_without_values(
    tmp_path: Path,
) -> None:
    """A misspelt key is told with the one that was meant."""
    text = '[kafka]\nbootstrap_server = "x"\npartitions = 0\n[run]\nbatch_size = "many"\n'
    told = str(fault(tmp_path, text))
    assert "kafka.bootstrap_server: there is no such key; did you mean bootstrap_servers?" in told
    assert "kafka.partitions" in told
    assert "run.batch_size" in told


DPS = f"""
[routes.dps]
[sources.dps]
database = "mssql+pyodbc://c:{PASSWORD}@host/PIM?driver=ODBC+Driver+18+for+SQL+Server"
"""
VERSION = {"AJERA_CDC_SOURCES__AJERA__VERSION": "9.0"}
OWN_STATE = {**VERSION, "AJERA_CDC_ROUTES__DPS__SYNC_SCHEMA": "sync_dps"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sync_schema", "sync"),
        ("group", "ajera-cdc.ajera-to-pim"),
        ("dead_letter_topic", "ajera-cdc.ajera-to-pim.dead"),
    ],
)
def test_two_routes_share_no_state_group_or_dead_letters(
    tmp_path: Path, name: str, value: str
) -> None:
    """Each would take the other's offsets for its own, whoever signs in."""
    clash = {**OWN_STATE, f"AJERA_CDC_ROUTES__DPS__{name.upper()}": value}
    assert f"routes.dps.{name}: [routes.pim] has the same" in str(fault(tmp_path, DPS, clash))
    assert settings(tmp_path, DPS, OWN_STATE).routes.configured == ROUTES[:2]


def test_routes_of_one_name_and_entities_named_as_settings_are_refused() -> None:
    """A program with such a list does not start."""
    with pytest.raises(ValueError, match="one name"):
        sections_for((AJERA_TO_PIM, replace(AJERA_TO_PIM)))
    switch = replace(AJERA_TO_PIM.mappings[0], entity="database")
    with pytest.raises(ValueError, match="database"):
        sections_for((replace(AJERA_TO_PIM, mappings=(switch,)),))


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    """AJERA_CDC_<SECTION>__<KEY>, for every key."""
    found = settings(
        tmp_path,
        'group = "file"\n',
        {
            "AJERA_CDC_ROUTES__PIM__GROUP": "env",
            "AJERA_CDC_ROUTES__PIM__CLIENTS": "false",
        },
    )
    assert found.routes.projection(AJERA_TO_PIM).group == "env"
    assert found.routes.projection(AJERA_TO_PIM).entities == {
        "projects",
        "contacts",
        "employees",
        "vendors",
    }


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("AJERA_CDC_RUN__BATCH_SIZE", "7", lambda s: s.run.batch_size == 7),
        (
            "AJERA_CDC_ROUTES__PIM__SCHEMA",
            "pim",
            lambda s: s.routes.projection(AJERA_TO_PIM).db_schema == "pim",
        ),
        (
            "AJERA_CDC_PROFILE",
            "site.toml",
            lambda s: s.profile.name == "site.toml",
        ),
        (
            "AJERA_CDC_SOURCES__AJERA__CONNECT_PORT",
            "",
            lambda s: s.ajera.connect_port is None,
        ),
        ("AJERA_CDC_SOURCE_PASSWORD", "x", lambda _: True),
        ("AJERA_CDC_CONFIG", "x", lambda _: True),
        (
            "ajera_cdc_run__batch_size",
            "7",
            lambda s: s.run.batch_size == 2000,
        ),
    ],
)
def test_every_kind_of_key_can_come_from_the_environment(
    tmp_path: Path, name: str, value: str, found: Callable[[Settings], bool]
) -> None:
    """Numbers, keys of another name, the one key without a section;
    other variables of ours are not keys.
    """
    assert found(settings(tmp_path, "", {name: value}))


def test_client_settings_can_come_from_the_environment_as_a_table(
    tmp_path: Path,
) -> None:
    """So that a secret need not stand in the file."""
    environ = {
        "AJERA_CDC_KAFKA__CLIENT": f'{{"sasl.password" = "{PASSWORD}", "sasl.username" = "u"}}'
    }
    client = settings(tmp_path, "", environ).kafka.client
    assert {name: secret.get_secret_value() for name, secret in client.items()} == {
        "sasl.password": PASSWORD,
        "sasl.username": "u",
    }


@pytest.mark.parametrize(
    "value",
    [
        PASSWORD,
        f'{{"a" = {PASSWORD}}}',
        f'{{"a" = {{"b" = "{PASSWORD}"}}}}',
        f'["{PASSWORD}"]',
    ],
)
def test_client_settings_that_are_no_table_are_told_without_them(
    tmp_path: Path, value: str
) -> None:
    """They are secrets."""
    told = str(fault(tmp_path, "", {"AJERA_CDC_KAFKA__CLIENT": value}))
    assert told.startswith("kafka.client")


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"AJERA_CDC_KAFKA__PARTITIONS": "4"},
        {"AJERA_CDC_PROFILE__X": "y"},
    ],
)
def test_a_section_that_is_no_table_is_a_fault_like_any_other(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    """Also where the environment wants to set a key in it."""
    path = tmp_path / "ajera-cdc.toml"
    path.write_text('kafka = 5\nprofile = "site.toml"\n' + URLS)
    with pytest.raises(ConfigurationInvalid, match="kafka: "):
        load(path, environ, ROUTES)


def test_an_unknown_key_from_the_environment_is_a_fault(
    tmp_path: Path,
) -> None:
    """A misspelt override would do nothing, silently."""
    told = str(
        fault(
            tmp_path,
            "",
            {
                "AJERA_CDC_ROUTES__PIM__GRUOP": "x",
                "AJERA_CDC_KAFKAA__GROUP": "x",
            },
        )
    )
    assert "routes.pim.gruop: there is no such key; did you mean group?" in told
    assert "kafkaa: there is no such key; did you mean kafka?" in told


def test_faults_of_databases_and_entities_are_told_with_all_others(
    tmp_path: Path,
) -> None:
    """Not only once the rest is right."""
    names = ("projects", "clients", "contacts", "employees", "vendors")
    environ = {f"AJERA_CDC_ROUTES__PIM__{name.upper()}": "false" for name in names}
    told = str(
        fault(
            tmp_path,
            "[run]\nbatch_size = 0\n",
            {**environ, "AJERA_CDC_SOURCES__AJERA__DATABASE": PASSWORD},
        )
    )
    assert "sources.ajera.database: is not a SQLAlchemy URL" in told
    assert "routes.pim: every entity is switched off" in told
    assert "run.batch_size" in told


def test_what_is_required_and_missing_is_named(tmp_path: Path) -> None:
    """An empty file lacks both databases."""
    path = tmp_path / "ajera-cdc.toml"
    path.write_text("")
    with pytest.raises(ConfigurationInvalid, match=r"(?s)sources: .*routes: "):
        load(path, {}, ROUTES)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe[\x00a\x00]\x00",
        b'x = "M\xfcller"',
        b"kafka = ",
        b"[kafka\n",
        b'a = "\x00"',
    ],
    ids=["utf-16", "latin-1", "half a line", "half a table", "a zero byte"],
)
def test_a_file_that_is_not_toml_in_utf8_is_a_fault_of_the_configuration(
    tmp_path: Path, content: bytes
) -> None:
    """As some editors and shells save it."""
    path = tmp_path / "ajera-cdc.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationInvalid, match=r"ajera-cdc\.toml is not"):
        load(path, {}, ROUTES)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    """Windows editors write one."""
    path = tmp_path / "ajera-cdc.toml"
    path.write_bytes(b"\xef\xbb\xbf" + URLS.encode())
    assert load(path, {}, ROUTES).routes.projection(AJERA_TO_PIM).group


def test_a_file_that_is_not_there_or_cannot_be_read_is_a_fault_of_the_configuration(
    tmp_path: Path,
) -> None:
    """A folder, or nothing."""
    with pytest.raises(ConfigurationInvalid, match="config template"):
        load(tmp_path / "none.toml", {}, ROUTES)
    with pytest.raises(ConfigurationInvalid, match="cannot be read"):
        load(tmp_path, {}, ROUTES)


def test_the_file_can_be_named_by_the_environment(tmp_path: Path) -> None:
    """As containers do."""
    path = tmp_path / "other.toml"
    path.write_text(URLS + 'group = "g"\n')
    assert (
        load(None, {"AJERA_CDC_CONFIG": str(path)}, ROUTES).routes.projection(AJERA_TO_PIM).group
        == "g"
    )


SHOWN = {
    f"postgresql+psycopg://a:{PASSWORD}@h/d": "postgresql+psycopg://a:***@h/d",
    f"postgresql+psycopg://a@h/d?password={PASSWORD}&sslmode=require": (
        "postgresql+psycopg://a@h/d?sslmode=require&password=***"
    ),
    f"mssql+pyodbc:///?odbc_connect=DRIVER%3DX%3BPWD%3D{PASSWORD}": (
        "mssql+pyodbc:///?odbc_connect=***"
    ),
    f"mssql+pyodbc://h/d?driver=X&Encrypt=no&PWD={PASSWORD}&UID=u": (
        "mssql+pyodbc://h/d?Encrypt=no&driver=X&PWD=***&UID=***"
    ),
}


@pytest.mark.parametrize(("url", "shown"), SHOWN.items())
def test_a_database_url_is_shown_without_its_secrets_wherever_they_stand(
    tmp_path: Path, url: str, shown: str
) -> None:
    """In front of the host, in the query, or in an ODBC connection string."""
    found = settings(tmp_path, "", {"AJERA_CDC_ROUTES__PIM__DATABASE": url})
    assert found.shown()["routes"]["pim"]["database"] == shown
    assert PASSWORD not in repr(found) + str(found.model_dump())


def test_a_secret_is_in_no_text_that_is_shown(tmp_path: Path) -> None:
    """Neither in what `config show` prints, nor in the settings' own text;
    whatever form the secret has.
    """
    text = f"""
[kafka.client]
"sasl.password" = "{PASSWORD}"
"sasl.oauthbearer.token.endpoint.url" = "https://u:{PASSWORD}@idp/token?client_secret={PASSWORD}"
[registry.client]
"basic.auth.user.info" = "u:{PASSWORD}"
[connect]
password = "{PASSWORD}"
"""
    found = settings(tmp_path, text)
    assert (
        PASSWORD not in repr(found) + str(found) + str(found.model_dump()) + found.model_dump_json()
    )
    assert PASSWORD not in str(found.shown())
    assert set(found.shown()["kafka"]["client"].values()) == {"***"}
    assert found.shown()["connect"]["password"] == "***"
    assert found.shown()["sources"]["ajera"]["database"] == "postgresql+psycopg://a:***@host/ajera"


@pytest.mark.parametrize("key", ["REGISTRY__URL", "REGISTRY__CONVERTER_URL", "CONNECT__URL"])
def test_an_address_with_a_password_is_refused_without_being_repeated(
    tmp_path: Path, key: str
) -> None:
    """It would be shown, logged, and sent to Connect."""
    error = fault(
        tmp_path,
        "",
        {f"AJERA_CDC_{key}": f"http://ok:1,http://u:{PASSWORD}@h:1/x"},
    )
    assert isinstance(error, ConfigurationInvalid)
    assert "must hold no user and password" in str(error)


@pytest.mark.parametrize("edition", ["ajeraCore", "ajeraCore + add-ons"])
def test_the_editions_without_a_pim_integration_are_refused(tmp_path: Path, edition: str) -> None:
    """Seed 003, first line."""
    with pytest.raises(EditionUnsupported, match="ajeraCore") as raised:
        settings(tmp_path, environ={"AJERA_CDC_SOURCES__AJERA__EDITION": edition})
    assert "not available in ajeraCore" in raised.value.sentence


def test_the_employee_phone_map_follows_crms_when_crm_is_on(
    tmp_path: Path,
) -> None:
    """Seed 003, the note below Employees."""
    swapped = (
        '[crm]\nenabled = {}\nemployee_mobile = "vecPhone1"\nemployee_direct_dial = "vecPhone2"\n'
    )
    on = settings(tmp_path, swapped.format("true")).site.assumptions
    off = settings(tmp_path, swapped.format("false")).site.assumptions
    assert (on.employee_mobile, on.employee_direct_dial) == (
        "vecPhone1",
        "vecPhone2",
    )
    assert (off.employee_mobile, off.employee_direct_dial) == (
        "vecPhone2",
        "vecPhone1",
    )


def test_a_database_address_of_another_kind_is_refused_without_being_repeated(
    tmp_path: Path,
) -> None:
    """It holds a password."""
    error = fault(
        tmp_path,
        "",
        {"AJERA_CDC_ROUTES__PIM__DATABASE": f"mysql://u:{PASSWORD}@h/d"},
    )
    assert isinstance(error, ConfigurationInvalid)
    assert "routes.pim.database: must begin with" in str(error)


def test_a_route_without_any_entity_is_refused(tmp_path: Path) -> None:
    """It would consume everything and do nothing."""
    names = ("projects", "clients", "contacts", "employees", "vendors")
    off = {f"AJERA_CDC_ROUTES__PIM__{name.upper()}": "false" for name in names}
    assert "every entity is switched off" in str(fault(tmp_path, "", off))


def test_a_profile_lies_beside_the_settings_file_wherever_its_name_comes_from(
    tmp_path: Path,
) -> None:
    """Relative paths are relative to the file that holds the other settings."""
    (tmp_path / "site.toml").write_text('[assumptions]\naddress_separator = " | "\n')
    path = tmp_path / "ajera-cdc.toml"
    path.write_text('profile = "site.toml"\n' + URLS)
    assert load(path, {}, ROUTES).site.assumptions.address_separator == " | "
    path.write_text(URLS)
    assert (
        load(path, {"AJERA_CDC_PROFILE": "site.toml"}, ROUTES).site.assumptions.address_separator
        == " | "
    )
    assert (
        load(path, {"AJERA_CDC_PROFILE": str(tmp_path / "site.toml")}, ROUTES).site
        != load(path, {}, ROUTES).site
    )


def test_uncommenting_a_key_of_the_template_changes_nothing(
    tmp_path: Path,
) -> None:
    """An empty text where nothing need be set is as if the key was not there."""
    path = tmp_path / "ajera-cdc.toml"
    path.write_text(re.sub(r"^# (\w+ = )", r"\1", template(ROUTES), flags=re.MULTILINE))
    uncommented = load(path, {}, ROUTES)
    path.write_text(template(ROUTES))
    assert uncommented == load(path, {}, ROUTES)


def test_the_template_is_a_valid_file_with_every_key_documented_in_place() -> None:
    """Uncommented it loads, and each key has its description above it."""
    text = template(ROUTES)
    uncommented = re.sub(r"^#( (?=\w+ = )|(?=\S))", "", text, flags=re.MULTILINE)
    raw = tomllib.loads(uncommented)
    for section, key, field in keys(ROUTES):
        table = reduce(
            lambda inner, part: inner[part],
            filter(None, section.split(".")),
            raw,
        )
        assert key in table, key
        assert f"# {field.description}" in text


def test_the_reference_names_every_key_with_its_default() -> None:
    """The template and the reference come from the same list."""
    lines = reference(ROUTES).splitlines()[2:]
    assert len(lines) == len(list(keys(ROUTES)))
    assert "| `sources.ajera.database` | `required` |" in reference(ROUTES)
    assert "| `run.batch_size` | `2000` |" in reference(ROUTES)
    assert "| `sources.ajera.connect_host` | `none` |" in reference(ROUTES)


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_old_name_is_refused_with_the_new_one(tmp_path: Path, old: str, new: str) -> None:
    """In the file as in the environment."""
    section, key = old.split(".")
    variable = f"AJERA_CDC_{section.upper()}__{key.upper()}"
    assert f"{old}: is called {new} now." in str(fault(tmp_path, "", {variable: "1"}))


@pytest.mark.parametrize("new", sorted(set(RENAMED.values())))
def test_a_new_name_is_a_key(new: str) -> None:
    """What the message says can be typed."""
    assert new in {f"{section}.{key}" for section, key, _ in keys(ROUTES)}


def test_a_route_without_its_source_or_version_is_refused(
    tmp_path: Path,
) -> None:
    """The exchange reads DPS, and its directions hang on the version of Ajera."""
    told = str(fault(tmp_path, "[routes.dps]\n"))
    assert "sources.dps: " in told
    dps = '[routes.dps]\n[sources.dps]\ndatabase = "postgresql+psycopg://d@host/dps"\n'
    assert "sources.ajera.version: " in str(fault(tmp_path, dps))


def test_a_firm_with_dps_and_no_pim_needs_no_pim(tmp_path: Path) -> None:
    """One route is enough; without any there is nothing to do."""
    ajera = '[sources.ajera]\ndatabase = "postgresql+psycopg://a@host/a"\nversion = "9.08"\n'
    dps = '[routes.dps]\n[sources.dps]\ndatabase = "postgresql+psycopg://d@host/dps"\n'
    path = tmp_path / "ajera-cdc.toml"
    path.write_text(ajera + dps)
    found = load(path, {}, ROUTES)
    assert [route.name for route in routes_of(found)] == ["dps"]
    with pytest.raises(ConfigurationInvalid, match=r"routes\.pim"):
        _ = found.routes.projection(AJERA_TO_PIM)
    path.write_text(ajera + "[routes]\n")
    with pytest.raises(ConfigurationInvalid, match="no route is configured"):
        load(path, {}, ROUTES)


@pytest.mark.parametrize("name", ["employees", "consultants"])
def test_who_is_active_cannot_be_told_without_a_coding(tmp_path: Path, name: str) -> None:
    """The line names the choice; with a coding it is taken, and what is no choice is refused."""
    told = str(fault(tmp_path, f'[routes.dps]\n{name} = "active"\n'))
    assert f'routes.dps: {name} = "active" needs status_coding' in told
    coded = str(
        fault(
            tmp_path,
            f'[routes.dps]\n{name} = "active"\nstatus_coding = "zero_is_active"\n',
        )
    )
    assert name not in coded
    assert f"routes.dps.{name}: " in str(fault(tmp_path, f'[routes.dps]\n{name} = "on_projects"\n'))
