"""The glossary is the page that its table gives, and has the words that the code is made of."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.docs.glossary import GLOSSARY, PAGE, page

PIPELINE = PAGE.parents[1] / "pipeline"
PART = re.compile(r"[A-Z][a-z]+|[A-Z]+(?![a-z])")
# Words of English, SQL, Python and Kafka that mean here what they mean everywhere.
ORDINARY = frozenset(
    re.findall(
        r"\w+",
        """
    admin ajera applied assumptions attempt await both broken buffer built busy carried cause
    aggregated by id children
    changed check child choice classification client clock code coding command concurrent config
    configuration connect connected connector consumer context copying counts create creates crm
    database decision decoder decoders derived described description detector dialect direction dps
    drawn
    driver edition entered entry envelope error exchange exchanged exit expression failed failure
    field finding first fitted found from function given gone graph group hanging health histogram
    holds idle images intake invalid item joining kafka kept key keys kind kinds latecomers limits
    linked linker list lists lock locked locks log loop lost malformed many merge metadata metric
    mismatch
    missing more names need needed neighbours new observation obstacle only outcome outdated
    overflow owned parent parking partition partitions parts pass path pim pipeline plan planned
    plans
    policy postgres program progress prometheus rate quota races recorded references refused
    registry
    rejected removal removed resolved restore restored result retrier retry run
    runner schema schemas section seen server service session settings shown since skip sql
    standby starts status step
    stopped stored sync system taken task telemetry template text time times too
    transaction type
    unavailable
    undecodable unique unknown unreachable unreadable unsupported unticked up update usage
    version versions waiting where
    address connections credentials exhausted host place reach refusals right tls
    chosen connectors difference reports requested setting whole
    connectors difference reports setting
    broker folding moment name outages whole
    commands listed
    look
    own url
    """,
    )
)


def class_names() -> set[str]:
    """The public classes of the product."""
    return {
        node.name
        for path in PIPELINE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }


def parts(name: str) -> Iterator[str]:
    """DeadLetters is dead and letters."""
    yield from (part.lower() for part in PART.findall(name))


def test_the_page_is_what_the_table_gives() -> None:
    """`make reference` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_class_that_the_glossary_names_exists() -> None:
    """A class that is renamed takes its entry with it."""
    named = {name for words in GLOSSARY.values() for word in words for name in word.code}
    assert named - class_names() == set()


def test_every_word_of_a_class_name_is_in_the_glossary_or_means_what_it_means_everywhere() -> None:
    """A new idea gets an entry, or the name of one that is there."""
    words = [word for group in GLOSSARY.values() for word in group]
    known = {part for word in words for name in word.code for part in parts(name)}
    known |= {part for word in words for part in re.findall(r"[a-z]+", word.term)}
    known |= {f"{part}s" for part in known} | {part.removesuffix("s") for part in known}
    used = {part for name in class_names() for part in parts(name)}
    assert used - known - ORDINARY == set()


def test_no_word_is_explained_twice() -> None:
    """One entry for each."""
    terms = [word.term for group in GLOSSARY.values() for word in group if word.term != "line"]
    assert len(set(terms)) == len(terms)
