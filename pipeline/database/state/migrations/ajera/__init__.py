"""Versions of our schema in the Ajera database."""
