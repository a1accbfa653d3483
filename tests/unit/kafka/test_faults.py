"""Kafka's own errors in our classes, dead letters' headers, and what a topic should be:
all that needs no broker.
"""

from __future__ import annotations

import time

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException

from pipeline.errors import (
    ConfigurationInvalid,
    CredentialsRefused,
    DeadLetterFailed,
    HostUnknown,
    KafkaRightMissing,
    MessageMalformed,
    OffsetLost,
    PipelineError,
    ServiceUnreachable,
    TlsRefused,
    TopicMissing,
)
from pipeline.kafka import admin as module
from pipeline.kafka import errors as faults
from pipeline.kafka.admin import KafkaAdmin
from pipeline.kafka.broker import Broker, client
from pipeline.kafka.dead_letters import (
    HEADER_PREFIX,
    KafkaDeadLetters,
    letter_headers,
)
from pipeline.kafka.errors import (
    cause,
    ours,
    refuse_lost_start,
    theirs,
)
from pipeline.kafka.groups import GroupState
from pipeline.kafka.protocol import Protocol, consumer_settings
from pipeline.kafka.topics import TopicDescription, TopicSettings, differences_between
from pipeline.model.event import Message
from pipeline.model.position import TopicPartition
from tests.twins.clock import SimulatedClock

NOBODY = "127.0.0.1:9"
SECRET = "open-sesame"
LETTER = Message(
    "ajera.AxVec",
    3,
    41,
    b"k",
    b"CANARY",
    1_764_072_000_123,
    (("trace", b"1"), ("empty", None)),
)

# Constants of confluent_kafka, whose names begin like that.
TIMED_OUT, ALL_BROKERS_DOWN = KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001


def headers(message: Message = LETTER) -> dict[str, str | bytes | None]:
    return dict(
        letter_headers(
            message,
            MessageMalformed("ajera.AxVec partition 3 offset 41: cut."),
            "group",
        )
    )


def test_a_dead_letter_says_why_from_where_and_keeps_what_it_had() -> None:
    """Original headers come first and are untouched; ours have a name of their own."""
    assert headers() == {
        "trace": b"1",
        "empty": None,
        "ajera_cdc.code": b"decode.malformed",
        "ajera_cdc.remedy": b"dead letter",
        "ajera_cdc.message": b"ajera.AxVec partition 3 offset 41: cut.",
        "ajera_cdc.topic": b"ajera.AxVec",
        "ajera_cdc.partition": b"3",
        "ajera_cdc.offset": b"41",
        "ajera_cdc.timestamp_ms": b"1764072000123",
        "ajera_cdc.group": b"group",
    }


def test_a_dead_letters_headers_hold_nothing_of_its_row() -> None:
    """The value is in the value alone."""
    assert b"CANARY" not in b"".join(
        value for value in headers().values() if isinstance(value, bytes)
    )


def test_headers_of_an_earlier_dead_letter_give_way() -> None:
    """A redriven message that fails again tells of the newest failure."""
    redriven = Message(
        "t",
        0,
        1,
        None,
        b"",
        0,
        ((HEADER_PREFIX + "offset", b"1"), ("trace", b"1")),
    )
    names = [name for name, _ in letter_headers(redriven, MessageMalformed("x"), "g")]
    assert names.count(HEADER_PREFIX + "offset") == 1
    assert names[0] == "trace"


def test_a_dead_letter_that_no_broker_takes_is_an_error() -> None:
    """It names the message's place, the topic and the client's code, never the value."""
    letters = KafkaDeadLetters(
        NOBODY,
        {"delivery.timeout.ms": "400", "message.timeout.ms": "400"},
        "dead",
        "g",
    )
    try:
        with pytest.raises(DeadLetterFailed) as caught:
            letters.send(LETTER, MessageMalformed("x"))
    finally:
        letters.close()
    assert "ajera.AxVec partition 3 offset 41 was not written to dead: " in str(caught.value)
    assert "CANARY" not in caught.value.sentence


def test_an_admin_that_nobody_answers_says_what_it_was_doing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In bounded time."""
    monkeypatch.setattr(module, "REQUEST_TIMEOUT_SECONDS", 0.3)
    admin = KafkaAdmin(NOBODY, {})
    with pytest.raises(ServiceUnreachable, match=f"Kafka at {NOBODY}, "):
        admin.watermarks(["ajera.AxVec"])
    admin.close()


def test_a_broker_that_takes_no_connection_is_told_before_a_requests_time_is_over() -> None:
    """A request waits ten seconds for a broker that may be slow; nobody who listens is not slow."""
    admin = KafkaAdmin(NOBODY, {})
    begun = time.monotonic()
    with pytest.raises(ServiceUnreachable, match=f"Kafka at {NOBODY}, "):
        admin.require_answer()
    admin.close()
    assert time.monotonic() - begun < faults.REQUEST_TIMEOUT_SECONDS


@pytest.mark.parametrize("start", [5, 7, 9])
def test_a_start_within_what_the_partition_holds_is_taken(
    start: int,
) -> None:
    """Its first offset, one between, and the one after its last."""
    refuse_lost_start(TopicPartition("t", 1), start, 5, 9)


@pytest.mark.parametrize(
    ("start", "words"),
    [(2, "3 messages are lost"), (10, "recreated or truncated")],
)
def test_a_start_that_the_partition_does_not_hold_halts(start: int, words: str) -> None:
    """It never jumps to another offset silently; what was lost is counted."""
    with pytest.raises(OffsetLost, match=words) as caught:
        refuse_lost_start(TopicPartition("t", 1), start, 5, 9)
    assert "t partition 1" in str(caught.value)


def test_no_code_means_two_things() -> None:
    """Each of librdkafka's codes is in one class."""
    classes = (
        faults.LOST_CODES,
        faults.TRANSPORT_CODES,
        faults.UNKNOWN_TOPIC_CODES,
        faults.NO_LONGER_OURS_CODES,
    )
    assert sum(len(codes) for codes in classes) == len(frozenset().union(*classes))


def test_the_error_inside_an_exception_is_found() -> None:
    """And one without any is not lost."""
    inner = KafkaError(TIMED_OUT)
    assert cause(KafkaException(inner)).code() == TIMED_OUT
    assert cause(KafkaException()).code() == KafkaError.UNKNOWN
    assert cause(KafkaException("odd")).code() == KafkaError.UNKNOWN


def fault(name: str, text: str = "words") -> KafkaError:
    """librdkafka's error of this name."""
    return KafkaError(getattr(KafkaError, name), text)


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("UNKNOWN_TOPIC_OR_PART", TopicMissing, "there is no such topic"),
        ("_UNKNOWN_TOPIC", TopicMissing, "there is no such topic"),
        ("_AUTHENTICATION", CredentialsRefused, "the user or the password is refused"),
        ("SASL_AUTHENTICATION_FAILED", CredentialsRefused, "the user or the password is refused"),
        ("_SSL", TlsRefused, "do not agree on encryption"),
        ("_RESOLVE", HostUnknown, "no host of that name is known"),
        ("TOPIC_AUTHORIZATION_FAILED", KafkaRightMissing, "this user may not do that"),
        ("GROUP_AUTHORIZATION_FAILED", KafkaRightMissing, "this user may not do that"),
        ("_ALL_BROKERS_DOWN", ServiceUnreachable, "no broker answers"),
        ("_TRANSPORT", ServiceUnreachable, "no broker answers"),
        ("INCONSISTENT_GROUP_PROTOCOL", ServiceUnreachable, "stop every consumer of the group"),
        ("NOT_ENOUGH_REPLICAS", ServiceUnreachable, "it is refused"),
    ],
)
def test_each_way_of_failing_has_its_code_and_names_the_address(
    name: str, error: type[PipelineError], says: str
) -> None:
    """With what was done, and librdkafka's own name and words."""
    found = Broker("kafka:9092").failure("reading ajera.AxVec", fault(name))
    assert type(found) is error
    assert str(found).startswith("Kafka at kafka:9092, reading ajera.AxVec: ")
    assert says in str(found)
    assert str(found).endswith(f"({name}: words).")
    assert "`ajera-cdc" in found.hint


def test_a_request_that_nobody_answers_tells_why_the_broker_refused_us() -> None:
    """librdkafka reports a wrong password beside the requests, which then only time out."""
    clock = SimulatedClock()
    broker = Broker("kafka:9092", clock.monotonic)
    broker.reported(fault("_AUTHENTICATION"))
    broker.reported(fault("_ALL_BROKERS_DOWN"))
    assert type(broker.failure("x", fault("_TIMED_OUT"))) is CredentialsRefused
    assert type(broker.no_answer("x")) is CredentialsRefused
    assert type(broker.failure("x", fault("NOT_ENOUGH_REPLICAS"))) is ServiceUnreachable


def test_a_refusal_of_long_ago_is_not_why_nobody_answers_now() -> None:
    """The password was corrected; then the broker went down."""
    clock = SimulatedClock()
    broker = Broker("kafka:9092", clock.monotonic)
    broker.reported(fault("_SSL"))
    clock.advance(60)
    assert type(broker.failure("x", fault("_TRANSPORT"))) is ServiceUnreachable
    broker.reported(fault("_SSL"))
    broker.answered()
    assert type(broker.no_answer("x")) is ServiceUnreachable


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"group.protocol": "consumer", "session.timeout.ms": "6000"},
            "[kafka.client] session.timeout.ms: is not taken with kafka.group_protocol = consumer",
        ),
        (
            {"group.protocol": "consumer", "heartbeat.interval.ms": "600"},
            "[kafka.client] heartbeat.interval.ms: is not taken with kafka.group_protocol",
        ),
        ({"sasl.pasword": SECRET}, "[kafka.client] sasl.pasword: librdkafka has no setting"),
        ({"security.protocol": SECRET}, "[kafka.client] security.protocol: librdkafka does not"),
        ({"session.timeout.ms": "-5"}, "[kafka.client] session.timeout.ms: librdkafka does not"),
        (
            {"ssl.ca.location": f"/nowhere/{SECRET}", "security.protocol": "SSL", "log_level": "0"},
            "[kafka.client] ssl.ca.location: librdkafka does not take its value",
        ),
        (
            {"sasl.mechanism": SECRET, "security.protocol": "SASL_PLAINTEXT"},
            "[kafka.client]: librdkafka does not take these settings together",
        ),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_a_setting_that_librdkafka_does_not_take_is_a_fault_of_the_configuration(
    settings: dict[str, str], says: str
) -> None:
    """It is named; its value, which may be a password, is not shown."""
    made = {"bootstrap.servers": NOBODY, "group.id": "g", **settings}
    with pytest.raises(ConfigurationInvalid) as caught:
        client(lambda: Consumer(made), settings)
    assert str(caught.value).startswith(says)
    assert SECRET not in caught.value.sentence


def test_an_admin_and_a_producer_refuse_a_setting_likewise() -> None:
    """Whichever client comes first."""
    with pytest.raises(ConfigurationInvalid, match=r"\[kafka.client\] nonsense"):
        KafkaAdmin(NOBODY, {"nonsense": "1"})
    with pytest.raises(ConfigurationInvalid, match=r"\[kafka.client\] nonsense"):
        KafkaDeadLetters(NOBODY, {"nonsense": "1"}, "dead", "g")


def test_a_host_that_is_not_there_is_said_by_the_admin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request itself only times out."""
    monkeypatch.setattr(module, "REQUEST_TIMEOUT_SECONDS", 1.0)
    admin = KafkaAdmin("no-such-host.invalid:9092", {})
    with pytest.raises(HostUnknown, match=r"Kafka at no-such-host\.invalid:9092, asking"):
        admin.watermarks(["ajera.AxVec"])
    admin.close()


def test_partitions_keep_their_names_both_ways() -> None:
    """With an offset and without."""
    place = TopicPartition("t", 3)
    assert ours(theirs(place)) == ours(theirs(place, 7)) == place
    assert theirs(place, 7).offset == 7


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_site_cannot_change_what_our_promises_hang_on(
    protocol: Protocol,
) -> None:
    """Whatever stands under kafka.client."""
    site = {
        "enable.auto.commit": "true",
        "auto.offset.reset": "latest",
        "group.id": "x",
        "client.id": "c",
    }
    found = consumer_settings("h:1", "g", site, protocol)
    assert found["enable.auto.commit"] is False
    assert found["enable.auto.offset.store"] is False
    assert found["auto.offset.reset"] == "error"
    assert found["group.id"] == "g"
    assert found["group.protocol"] == protocol
    assert found["client.id"] == "c"
    assert ("partition.assignment.strategy" in found) is (protocol == "classic")
    assert ("group.remote.assignor" in found) is (protocol == "consumer")


def test_a_backlog_waits_at_the_broker_unless_the_site_says_otherwise() -> None:
    """Each member would else hold 64 MB of it."""
    name = "queued.max.messages.kbytes"
    assert consumer_settings("h:1", "g", {}, "classic")[name] == 16_384
    assert consumer_settings("h:1", "g", {name: "4096"}, "classic")[name] == "4096"


def test_a_topic_is_compared_with_what_it_should_be() -> None:
    """A sentence for each difference."""
    wanted = TopicSettings("t", 4, 3, 1000)
    assert differences_between(wanted, TopicDescription("t", "id", 4, 3, 1000, "delete")) == []
    assert differences_between(wanted, TopicDescription("t", "id", 2, 1, -1, "compact")) == [
        "t has partitions 2, not 4.",
        "t has replicas 1, not 3.",
        "t has retention.ms -1, not 1000.",
        "t has cleanup.policy compact, not delete.",
    ]


@pytest.mark.parametrize(
    ("state", "members", "is_empty"),
    [
        ("empty", 0, True),
        ("dead", 0, True),
        ("stable", 1, False),
        ("preparing_rebalance", 0, False),
        ("empty", 1, False),
    ],
)
def test_only_a_group_without_members_may_be_set_back(
    state: str, members: int, is_empty: bool
) -> None:
    """Its members would go on from where they are."""
    assert GroupState(state, members, {}).is_empty is is_empty
