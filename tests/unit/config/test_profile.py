"""The site profile: a name that is misspelt or stands for two things is refused,
for it would change nothing, silently.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.settings import settings_for
from pipeline.domain.profile import name_faults
from pipeline.domain.routes import AJERA_TO_PIM, ROUTES
from pipeline.errors import ProfileInvalid
from pipeline.mapping.site import Site

DATABASES = {
    "sources": {"ajera": {"database": "postgresql+psycopg://a@h/a"}},
    "routes": {"pim": {"database": "postgresql+psycopg://p@h/p"}},
}
KEYS = "[keys]\ntable = 'AxKey'\ntable_column = 'of'\nkey_column = 'next'\n"
OTHER_NAMES = Path(__file__).parents[3] / "deploy" / "sample" / "other-names.toml"


def site(tmp_path: Path, text: str | bytes) -> Site:
    """The site of this profile."""
    path = tmp_path / "site.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return settings_for(ROUTES).model_validate({**DATABASES, "profile": path}).site


def fault(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(ProfileInvalid) as raised:
        site(tmp_path, text)
    return str(raised.value)


def test_a_site_without_a_profile_has_the_vendors_names() -> None:
    """Every name as the vendor writes it."""
    assert settings_for(ROUTES).model_validate(DATABASES).site == Site()
    assert list(name_faults(ROUTES, Site())) == []


def test_the_second_profile_of_the_sample_is_without_fault() -> None:
    """Under it every name differs, and the whole route runs."""
    found = settings_for(ROUTES).model_validate({**DATABASES, "profile": OTHER_NAMES}).site
    assert all(found.source_table(table.name) != table.name for table in AJERA_TO_PIM.sources)


def test_every_name_that_no_mapping_knows_is_told_with_the_one_that_was_meant(
    tmp_path: Path,
) -> None:
    """Tables, columns and policies of both sides, all at once."""
    told = fault(
        tmp_path,
        """
[source.AxVecs]
name = "x"
[source.AxVec.columns]
vecDescripton = "x"
[target.Organisation]
name = "x"
[target.Organization.columns]
Nam = "x"
[target.Contact.policies."Forenam"]
too_long = "refuse"
[source.Nonsense.columns]
""",
    ).splitlines()
    assert told == [
        "source.AxVecs: no mapping knows it; did you mean AxVec?",
        "source.AxVec.columns.vecDescripton: no mapping knows it; did you mean vecDescription?",
        "source.Nonsense: no mapping knows it.",
        "target.Organisation: no mapping knows it; did you mean Organization?",
        "target.Organization.columns.Nam: no mapping knows it; did you mean Name?",
        "target.Contact.policies.Forenam: no mapping knows it; did you mean Forename?",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '[source.AxVec]\nname = "AxContact"',
            "source: 2 things are called AxContact.",
        ),
        (
            '[target.Contact]\nname = "Organization"',
            "target: 2 things are called Organization.",
        ),
        (
            '[source.AxVec.columns]\nvecFax = "vecEmail"',
            "source.AxVec.columns: 2 things are called vecEmail.",
        ),
        (
            '[source.AxVec.columns]\nvecFax = "a b"\nvecZip = "a-b"',
            "source.AxVec.columns: 2 things are called a_b.",
        ),
        (
            '[target.Organization.columns]\nName = "x"\n"Fax Number" = "x"',
            "target.Organization.columns: 2 things are called x.",
        ),
    ],
)
def test_two_things_of_one_name_are_refused(tmp_path: Path, text: str, told: str) -> None:
    """One of them would be read or written in place of the other; as messages spell them."""
    assert fault(tmp_path, text) == told


def test_two_names_may_be_swapped(tmp_path: Path) -> None:
    """Each still stands for one thing."""
    found = site(
        tmp_path,
        '[source.AxVec.columns]\nvecPhone1 = "vecPhone2"\nvecPhone2 = "vecPhone1"',
    )
    assert found.source_column("AxVec", "vecPhone1") == "vecPhone2"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"\xff\xfe", "site.toml is not UTF-8"),
        ("x = ", "site.toml is not TOML"),
        ("assumptions = 5", "assumptions: "),
        ("[source]\nAxVec = 5", "source.AxVec: "),
        (
            "[assumptions]\nemployee_mobile = 'vecFax'",
            "must be vecPhone1 or vecPhone2.",
        ),
        ("[assumptions]\ngenerated_code = 'X'", "must contain {key}"),
        (
            "[assumptions]\naddress_seperator = ''",
            "did you mean address_separator?",
        ),
        (
            "[asumptions]",
            "asumptions: there is no such key; did you mean assumptions?",
        ),
        (
            "[assumptions.status_texts]\nopen = 'Open'",
            "assumptions.status_texts.open",
        ),
        ("[keys]\ntable = 'AxKey'", "keys.table_column"),
        (f"{KEYS}holds = 'first'", "keys.holds"),
        (
            f"{KEYS}holds = 'next'\nnames = {{ AxVecs = 'x' }}",
            "keys.names.AxVecs: no mapping knows it; did you mean AxVec?",
        ),
        (
            f"{KEYS}holds = 'next'\nnames = {{ AxVec = 'AxContact' }}",
            "keys.names: 2 things are called AxContact.",
        ),
        (
            "[target.Contact.policies.Forename]\ntoo_long = 'explode'",
            "target.Contact.policies.Forename.too_long",
        ),
    ],
)
def test_a_profile_that_is_not_one_is_told_by_key(
    tmp_path: Path, text: str | bytes, words: str
) -> None:
    """As the settings are."""
    assert words in fault(tmp_path, text)


def test_a_profile_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By its name."""
    settings = settings_for(ROUTES).model_validate({**DATABASES, "profile": tmp_path / "none.toml"})
    with pytest.raises(ProfileInvalid, match=r"none\.toml cannot be read"):
        _ = settings.site


def test_the_phone_map_of_crm_wins_over_the_profiles(
    tmp_path: Path,
) -> None:
    """PIM's follows it when both are on (S-PIM)."""
    path = tmp_path / "site.toml"
    path.write_text('[assumptions]\nemployee_mobile = "vecPhone1"\naddress_separator = "; "\n')
    crm = {
        "enabled": True,
        "employee_mobile": "vecPhone2",
        "employee_direct_dial": "vecPhone2",
    }
    found = (
        settings_for(ROUTES)
        .model_validate({**DATABASES, "profile": path, "crm": crm})
        .site.assumptions
    )
    assert (found.employee_mobile, found.employee_direct_dial) == (
        "vecPhone2",
        "vecPhone2",
    )
    assert found.address_separator == "; "
