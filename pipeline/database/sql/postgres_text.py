"""Pieces of PostgreSQL's statements that rows sent as JSON and rows sent by COPY share."""

from __future__ import annotations

from functools import lru_cache

from pipeline.database.sql.dialect import TEXTS, Fields, Images, Merge


@lru_cache(maxsize=4096)  # a statement is written for each batch, and has a hundred of them
def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def listed(fields: Fields) -> str:
    return ", ".join(quoted(field.name) for field in fields)


def ordered(fields: Fields) -> str:
    """The order of the given rows' first columns, in which rows are locked: that of the bytes."""
    return ", ".join(
        f'r.c{number} COLLATE "C"' if field.kind in TEXTS else f"r.c{number}"
        for number, field in enumerate(fields)
    )


def upserted(insert: str, merge: Merge) -> str:
    """The insert, which changes the rows that are there."""
    images = Images(lambda name: f"t.{quoted(name)}", lambda name: f"excluded.{quoted(name)}")
    changes = ", ".join(f"{quoted(name)} = {value(images)}" for name, value in merge.assignments)
    condition = "" if merge.only_if is None else f" WHERE {merge.only_if(images)}"
    return f"{insert} ON CONFLICT ({listed(merge.key)}) DO UPDATE SET {changes}{condition}"


def counted(upsert: str) -> str:
    """The upsert, which answers how many rows it created, and how many it changed."""
    return (
        f"WITH written AS ({upsert} RETURNING (t.xmax = 0) AS created)"
        " SELECT count(*) FILTER (WHERE created) AS created, count(*) FILTER (WHERE NOT"
        " created) AS changed FROM written"
    )
