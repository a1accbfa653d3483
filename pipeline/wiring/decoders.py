"""The decoder of a configured route, for commands that look at its messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.config.settings import Settings
from pipeline.decoding.by_topic import DecoderByTopic
from pipeline.engine.consumer.ports import Decoder
from pipeline.mapping.route import Route
from pipeline.wiring.clients import registry_client
from pipeline.wiring.exchange import setup_of
from pipeline.wiring.exchange_decoding import decoders_of
from pipeline.wiring.offered import switched_on
from pipeline.wiring.projection import decoders_for
from pipeline.wiring.route import RouteHandle


@contextmanager
def decoder_for(settings: Settings, route: RouteHandle) -> Iterator[Decoder]:
    """As the route's consumers have it. Raises ConfigurationInvalid, ProfileInvalid."""
    registry = registry_client(settings)
    try:
        if isinstance(route.of, Route):
            yield DecoderByTopic(
                decoders_for(settings, switched_on(settings, route.of), registry.writer_schema)
            )
        else:
            yield DecoderByTopic(decoders_of(settings, setup_of(settings), registry.writer_schema))
    finally:
        registry.close()
