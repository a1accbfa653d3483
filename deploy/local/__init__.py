"""The embedded stack: PostgreSQL, Kafka, schema registry and Kafka Connect with Debezium,
from PyPI and Maven packages.

For trying and testing. In production the same connector files run
on the Debezium Connect image (`deploy/compose.yaml`).
"""
