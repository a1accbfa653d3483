"""Kafka Connect: the connectors' configurations, and the worker that runs them."""
