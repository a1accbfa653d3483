"""Versions of the `sync` schema in the DPS database."""
