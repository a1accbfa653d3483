"""Versions of the `sync` schema."""
