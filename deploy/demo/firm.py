"""The sample firm in three databases of a running stack, with our schemas and both connectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deploy.demo import settings
from deploy.demo.consumers import command
from deploy.demo.people import Run
from deploy.local.stack import Stack
from deploy.sample import books, crm, crm_books, databases, dps, firm
from deploy.sample.naming import Naming


@contextmanager
def prepared(
    stack: Stack, seed: int, profile: Path | None, say: Callable[[str], None]
) -> Iterator[Run]:
    """Three databases, the firm in Ajera and DPS, our schemas, and both connectors running.
    Raises CommandFailed.
    """
    naming = Naming.load(profile) if profile is not None else Naming()
    urls = [stack.create_database(name) for name in ("ajera", "pim", "dps")]
    for url, create in zip(
        urls,
        (databases.create_ajera, databases.create_pim, dps.create_dps),
        strict=True,
    ):
        create(url, naming)
    with ExitStack() as resources:
        ajera, pim, in_dps = (resources.enter_context(databases.connect(url)) for url in urls)
        say("Loading the sample firm into Ajera and DPS ...")
        firm.load(ajera, seed, naming)
        crm.load(ajera, in_dps, seed, naming)
        books.load(ajera, seed, naming)
        crm_books.load(ajera, in_dps, seed, naming)
        config = settings.write(
            stack, urls[0], urls[1], dps=urls[2], has_accounting=True, profile=profile
        )
        say("Creating our schemas, then the connectors ...")
        command(config, "schema", "upgrade")
        command(config, "connectors", "apply")
        command(config, "connectors", "apply", "--source", "dps")
        yield Run(naming, ajera, pim, in_dps, config)
