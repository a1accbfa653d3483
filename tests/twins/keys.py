"""Keys from the profile's key table, in memory, as `pipeline.database.keys` takes them."""

from __future__ import annotations

from pipeline.errors import KeyTableInvalid
from pipeline.mapping.site import Holds, Site
from tests.twins.database import Open
from tests.twins.locks import Strength


def take_key(transaction: Open, site: Site, table: str) -> int | None:
    """The key that the key table gives, which it has given then; None where it has no row.
    Raises KeyTableInvalid.
    """
    counter = site.keys
    if counter is None:
        return None
    name, view = (
        site.name_in_key_table(table),
        transaction.view(counter.table),
    )
    found = [key for key, row in view.items() if row.values[counter.table_column] == name]
    if not found:
        return None
    row = view.lock(found[0], Strength.UPDATE)
    held = None if row is None else row.values[counter.key_column]
    if len(found) > 1 or not isinstance(held, int):
        raise KeyTableInvalid(f"{counter.table} has no one whole number for {table}")
    new = held if counter.holds is Holds.NEXT else held + 1
    if new <= transaction.highest(table):
        raise KeyTableInvalid(
            f"the key table gives a key that is not beyond the highest one of {table}"
        )
    transaction.change(counter.table, found[0], {counter.key_column: held + 1})
    return new
