"""What a release leaves behind of an exchange, as SQL: our schemas in both databases, and the rows
of the two systems: `python -m tests.upgrades.write_exchange FOLDER`, in the tree of that release.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_engine

from deploy.local.stack import running_stack
from pipeline.conflicts.rules import Side
from tests.support.outbox import World, world
from tests.upgrades.dump import dumped

OURS = {Side.AJERA: "ajera_cdc", Side.DPS: "sync"}
FIRMS = 25


def live(world: World) -> None:
    """Firms, contacts and projects on both sides, linked, edited, deleted and parked."""
    for number in range(1, FIRMS + 1):
        world.client(number, f"Client {number}", vecCity=f"City {number}", vecWebsite="w")
        world.firm(f"F{number}", f"Firm {number}", WebSite="v")
        world.contact(
            Side.AJERA, number, f"Last {number}", cntClient=number, cntEmail=f"{number}@a"
        )
        world.project(Side.AJERA, number, f"Project {number}")
    world.settle()
    for number in range(1, FIRMS + 1, 3):
        world.edit(Side.AJERA, "AxVec", number, vecDescription=f"Renamed {number}")
    for number in range(2, FIRMS + 1, 3):
        world.edit(Side.DPS, "Clendor", f"F{number}", Name=f"Renamed firm {number}")
    world.settle()
    world.delete(Side.AJERA, "AxContact", 7)
    world.settle()


def state(world: World) -> Iterator[tuple[Side, str]]:
    """The statements of each side: our schema, then the rows of the system."""
    for side in Side:
        engine = create_engine(world.urls[side])
        with engine.connect() as connection:
            own = [*dumped(connection, (OURS[side],))]
            rows = [one for one in dumped(connection, ("public",)) if one.startswith("INSERT")]
        engine.dispose()
        yield side, "\n".join([*own, *rows]) + "\n"


if __name__ == "__main__":
    with running_stack(print, parts=("postgres",)) as running, world(running) as made:
        live(made)
        for its_side, text in state(made):
            Path(sys.argv[1], f"{its_side}_0001.sql").write_text(text, encoding="utf-8")
