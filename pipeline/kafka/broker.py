"""The broker as our clients reach it: its address, and why it does not do what it was asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException

from pipeline.errors import (
    ConfigurationInvalid,
    CredentialsRefused,
    HostUnknown,
    KafkaRightMissing,
    PipelineError,
    ServiceUnreachable,
    TlsRefused,
    TopicMissing,
)
from pipeline.kafka.errors import (
    CREDENTIAL_CODES,
    REQUEST_TIMEOUT_SECONDS,
    RIGHT_CODES,
    TRANSPORT_CODES,
    UNKNOWN_TOPIC_CODES,
)
from pipeline.network import are_silent

T = TypeVar("T")
REMEMBERED_SECONDS: Final = 30.0

_SENTENCES: Final[Mapping[int, tuple[type[PipelineError], str]]] = {
    **dict.fromkeys(CREDENTIAL_CODES, (CredentialsRefused, "the user or the password is refused")),
    **dict.fromkeys(RIGHT_CODES, (KafkaRightMissing, "this user may not do that")),
    **dict.fromkeys(UNKNOWN_TOPIC_CODES, (TopicMissing, "there is no such topic")),
    KafkaError._SSL: (TlsRefused, "the broker and we do not agree on encryption"),  # noqa: SLF001
    KafkaError._RESOLVE: (HostUnknown, "no host of that name is known"),  # noqa: SLF001
    KafkaError._ALL_BROKERS_DOWN: (ServiceUnreachable, "no broker answers"),  # noqa: SLF001
    KafkaError._TRANSPORT: (ServiceUnreachable, "no broker answers"),  # noqa: SLF001
    KafkaError._TIMED_OUT: (ServiceUnreachable, "no broker answers"),  # noqa: SLF001
    KafkaError.INCONSISTENT_GROUP_PROTOCOL: (
        ServiceUnreachable,
        (
            "a member of another version or group protocol is still in the group: stop every "
            "consumer of the group, then start them"
        ),
    ),
}
# Why no request succeeds: reported by `error_cb`, while the requests only time out.
_REFUSALS: Final = CREDENTIAL_CODES | {KafkaError._SSL, KafkaError._RESOLVE}  # noqa: SLF001


class Broker:
    """Makes errors that name the address. `reported` is an `error_cb` of librdkafka."""

    def __init__(self, bootstrap: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._bootstrap = bootstrap
        self._clock = clock
        self._refusal: tuple[float, KafkaError] | None = None

    def reported(self, error: KafkaError) -> None:
        """A refusal is remembered for a while: the requests behind it fail for want of time."""
        if error.code() in _REFUSALS:
            self._refusal = self._clock(), error

    def answered(self) -> None:
        """A request succeeded: nothing is refused any more."""
        self._refusal = None

    def is_silent(self) -> bool:
        """Does no broker's host answer at all, as behind a firewall. Takes a few seconds then."""
        return are_silent([one for one in map(_address, self._bootstrap.split(",")) if one])

    def failure(self, doing: str, error: KafkaError) -> PipelineError:
        """What a failed request means, with what was done, and librdkafka's code and words."""
        if error.code() in TRANSPORT_CODES:
            error = self._cause() or error
        fault, words = _SENTENCES.get(error.code(), (ServiceUnreachable, "it is refused"))
        told = f"{error.name()}: {error.str()}".rstrip(". \n")
        return fault(f"Kafka at {self._bootstrap}, {doing}: {words} ({told}).")

    def no_answer(self, doing: str) -> PipelineError:
        """Nobody refused, and nobody answered."""
        cause = self._cause()
        if cause is not None:
            return self.failure(doing, cause)
        return ServiceUnreachable(
            f"Kafka at {self._bootstrap}, {doing}: no answer within "
            f"{REQUEST_TIMEOUT_SECONDS:.0f} seconds."
        )

    def _cause(self) -> KafkaError | None:
        if self._refusal is None:
            return None
        at, error = self._refusal
        return error if self._clock() - at < REMEMBERED_SECONDS else None


def _address(server: str) -> tuple[str, int] | None:
    """Host and port of host:port, [::1]:port or PROTOCOL://host:port; None of anything else."""
    host, _, port = server.strip().rpartition("://")[2].rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isdecimal() else None


def client(make: Callable[[], T], settings: Mapping[str, Any]) -> T:
    """A client of librdkafka. Raises ConfigurationInvalid for a setting that it does not take,
    which names the setting, never its value.
    """
    try:
        return make()
    except (KafkaException, ValueError, TypeError) as error:
        raise ConfigurationInvalid(_refused(str(error), settings)) from None


def _refused(text: str, settings: Mapping[str, Any]) -> str:
    named = [name for name in sorted(settings, key=len, reverse=True) if name in text]
    place = f"[kafka.client] {named[0]}" if named else "[kafka.client]"
    if "No such configuration property" in text:
        return f"{place}: librdkafka has no setting of that name."
    if "group.protocol" in text:
        return (
            f"{place}: is not taken with kafka.group_protocol = consumer, for which the brokers "
            "set it: remove it, or set kafka.group_protocol = classic."
        )
    if not named:
        return f"{place}: librdkafka does not take these settings together."
    return f"{place}: librdkafka does not take its value."
