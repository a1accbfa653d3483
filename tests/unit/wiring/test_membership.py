"""What a process gives each of its members: settings of the client that makes it one."""

from __future__ import annotations

from pathlib import Path

from pipeline.config.load import load
from pipeline.config.settings import Settings
from pipeline.domain.routes import ROUTES
from pipeline.wiring.clients import member_settings

SETTINGS = """
[sources.ajera]
database = "postgresql://nobody@host/ajera"
[routes.pim]
database = "postgresql://nobody@host/pim"
[kafka.client]
"session.timeout.ms" = "6000"
"""
STATIC = '"group.instance.id" = "accounting-server"\n'


def loaded(directory: Path, text: str) -> Settings:
    file = directory / "settings.toml"
    file.write_text(text)
    return load(file, {}, ROUTES)


def test_members_of_one_process_have_lasting_names_of_their_own(tmp_path: Path) -> None:
    """Under one name the second would put out the first, and the process would end."""
    settings = loaded(tmp_path, SETTINGS + STATIC)
    names = [member_settings(settings, "pim", n)["group.instance.id"] for n in (1, 2, 3)]
    assert names == ["accounting-server", "accounting-server-2", "accounting-server-3"]


def test_members_without_a_lasting_name_get_none(tmp_path: Path) -> None:
    """They are told apart by their client ids, and everything else is what the settings say."""
    settings = loaded(tmp_path, SETTINGS)
    one, two = (member_settings(settings, "pim", number) for number in (1, 2))
    assert one.keys() == two.keys() == {"client.id", "session.timeout.ms"}
    assert one["client.id"] != two["client.id"]
