"""The section of the accounting route: where it writes, what it needs, and when it is refused."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.config.load import load
from pipeline.config.settings import Settings, settings_for
from pipeline.domain.profile import name_faults
from pipeline.domain.routes import ACCOUNTING, AJERA_AND_DPS, ROUTES, captured
from pipeline.errors import ConfigurationInvalid
from pipeline.mapping.site import OverflowPolicy, Site
from pipeline.operations.check import looks_of
from pipeline.operations.mappings import shown
from pipeline.wiring.offered import require_offered, switched_on

DPS = "mssql+pyodbc://ajera_cdc:hunter2@server/Vantagepoint"
AJERA = '[sources.ajera]\ndatabase = "postgresql+psycopg://h/ajera"\n'
SOURCE = f'[sources.dps]\ndatabase = "{DPS}"\nschema = "vp"\n'
EXCHANGE, OWN = "[routes.dps]\n", "[routes.accounting]\n"
EVERYTHING = AJERA + 'version = "9.08"\n' + SOURCE + EXCHANGE + OWN


def settings(tmp_path: Path, text: str, profile: str = "") -> Settings:
    path = tmp_path / "ajera-cdc.toml"
    if profile:
        (tmp_path / "site.toml").write_text(profile)
        text = f'profile = "site.toml"\n{text}'
    path.write_text(text)
    return load(path, {}, ROUTES)


def fault(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigurationInvalid) as raised:
        settings(tmp_path, text)
    assert "hunter2" not in str(raised.value)
    return str(raised.value)


def test_it_writes_where_dps_is_captured_with_a_schema_of_its_own(tmp_path: Path) -> None:
    """Nothing has to be said twice."""
    found = settings(tmp_path, EVERYTHING)
    own = found.routes.projection(ACCOUNTING)
    assert own.database.get_secret_value() == DPS
    assert (own.db_schema, own.sync_schema) == ("vp", "sync_accounting")
    assert own.group == "ajera-cdc.ajera-to-accounting"
    assert own.entities == {"ajera_totals", "budget_and_revenue", "dates_and_costs", "team"}
    assert found.routes.configured == (AJERA_AND_DPS, ACCOUNTING)


def test_what_the_section_says_itself_comes_first(tmp_path: Path) -> None:
    """A login of its own; an empty text says nothing."""
    text = EVERYTHING + 'database = "mssql+pyodbc://own@server/Vantagepoint"\nschema = ""\n'
    own = settings(tmp_path, text + "team = false\n").routes.projection(ACCOUNTING)
    assert "own@server" in own.database.get_secret_value()
    assert own.db_schema == "vp"
    assert "team" not in own.entities


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (AJERA + OWN, "sources.dps: [routes.accounting] reads it; say where it is"),
        (AJERA + SOURCE + OWN, "rows have the keys of rows that an exchange linked; configure"),
        (EVERYTHING + 'sync_schema = "sync"\n', "routes.accounting.sync_schema: [routes.dps] has"),
        (
            EVERYTHING + "".join(f"{one} = false\n" for one in ACCOUNTING.entities),
            "every entity is switched off",
        ),
        (AJERA + 'version = "9.08"\n[sources.dps]\n' + EXCHANGE + OWN, "sources.dps.database"),
    ],
)
def test_it_is_refused_in_words_without_what_it_stands_on(
    tmp_path: Path, text: str, told: str
) -> None:
    """Without DPS, without the links of the exchange, or with another route's state."""
    assert told in fault(tmp_path, text)


def test_a_file_without_its_section_needs_nothing_of_it(tmp_path: Path) -> None:
    """No table is captured for it, and no area is looked at."""
    found = settings(tmp_path, EVERYTHING.removesuffix(OWN))
    assert found.routes.configured == (AJERA_AND_DPS,)
    tables = {table.name for table in captured("ajera", found.routes.configured)}
    assert tables.isdisjoint({"AxTransaction", "AxReceipt", "AxResource"})
    assert list(looks_of(ROUTES)["accounting"](found)) == []


@pytest.mark.parametrize("version", ["8.08", "8.8.1", "7"])
def test_below_8_09_it_is_refused_and_check_says_so(tmp_path: Path, version: str) -> None:
    """The other routes run: only what is about it fails."""
    found = settings(tmp_path, EVERYTHING.replace("9.08", version))
    with pytest.raises(ConfigurationInvalid, match=r"below Ajera 8\.09"):
        require_offered(found, ACCOUNTING)
    (line,) = looks_of(ROUTES)["accounting"](found)
    assert not line.is_ok
    assert f'sources.ajera.version is "{version}"' in line.found


@pytest.mark.parametrize("version", ["8.09", "8.9", "8.10", "9"])
def test_from_8_09_on_it_is_offered(tmp_path: Path, version: str) -> None:
    """Compared as numbers, part by part."""
    require_offered(settings(tmp_path, EVERYTHING.replace("9.08", version)), ACCOUNTING)


def test_a_tab_that_the_crm_has_not_is_not_written_and_nothing_but_such_is_refused(
    tmp_path: Path,
) -> None:
    """Simple CRM has no totals."""
    profile = '[assumptions]\ncrm = "simple_crm"\n'
    found = settings(tmp_path, EVERYTHING, profile)
    assert switched_on(found, ACCOUNTING).entities == ("dates_and_costs", "team")
    nothing = EVERYTHING + "dates_and_costs = false\nteam = false\n"
    with pytest.raises(ConfigurationInvalid, match=r"assumptions\.crm there are dates_and_costs"):
        require_offered(settings(tmp_path, nothing, profile), ACCOUNTING)


NAMES = """
[source.AxTransaction]
name = "Charges"
[source.AxTransaction.columns]
tSpentAmount = "tEffort"
[source.AxBeginningBalance.columns]
bbLaborSpent = "bbEffort"
[source.PR]
name = "Projects"
[source.PR.columns]
AjeraSpentLabor = "SpentLabor"
[target.EMProjectAssoc.columns]
Role = "RoleDescription"
[target.PR.policies.Fee]
too_long = "refuse"
"""


def test_every_name_can_be_another_one_and_dps_tables_are_named_once(tmp_path: Path) -> None:
    """What is captured of DPS and written there has one name; a target's own name comes first."""
    site = settings(tmp_path, EVERYTHING, NAMES).site
    assert site.target_table("PR") == site.source_table("PR") == "Projects"
    assert site.target_column("PR", "AjeraSpentLabor") == "SpentLabor"
    assert site.target_column("EMProjectAssoc", "Role") == "RoleDescription"
    assert site.policy("PR", "Fee").too_long is OverflowPolicy.REFUSE
    totals = next(table for table in shown(site, ACCOUNTING) if table.name == "Ajera Totals")
    assert totals.target == "Projects"
    line = next(line for line in totals.lines if line.target == "SpentLabor")
    assert line.source == "sum of tEffort of labor, plus bbEffort"


def test_names_of_accounting_are_checked_as_all_others_are() -> None:
    """A misspelt one would change nothing, silently."""
    wrong = {"source": {"AxReceipt": {"columns": {"rcAmuont": "x"}}, "AxReceipts": {"name": "y"}}}
    assert list(name_faults(ROUTES, Site.model_validate(wrong))) == [
        "source.AxReceipt.columns.rcAmuont: no mapping knows it; did you mean rcAmount?",
        "source.AxReceipts: no mapping knows it; did you mean AxReceipt?",
    ]


def test_the_settings_of_a_program_without_the_route_know_no_such_section() -> None:
    """It is an entry of the list of routes, like any other."""
    with pytest.raises(ValidationError, match=r"routes\.accounting"):
        settings_for(ROUTES[:2]).model_validate(tomllib.loads(EVERYTHING))
