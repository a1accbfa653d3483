"""What the network itself says of a service: is its host known, does something listen there."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from enum import Enum

from pipeline.errors import HostUnknown, PipelineError, TlsRefused

LONGEST_SECONDS = 2.0


class Reach(Enum):
    """How far one comes."""

    HOST_UNKNOWN = "no host of that name is known"
    REFUSED = "nothing listens there"
    SILENT = "nothing answers there"
    TLS = "it and we do not agree on encryption"
    OPEN = "a server listens there, and gave no answer that we know"


def reach(host: str, port: int) -> Reach:
    """By connecting; in at most a few seconds."""
    try:
        with socket.create_connection((host, port), timeout=LONGEST_SECONDS):
            return Reach.OPEN
    except (OSError, UnicodeError) as error:
        return reach_of(error)


def are_silent(addresses: Sequence[tuple[str, int]]) -> bool:
    """Do all of them swallow what is sent there, as behind a firewall: neither refused nor taken.
    Asked at the same time; False of none.
    """
    from concurrent.futures import ThreadPoolExecutor

    if not addresses:
        return False
    with ThreadPoolExecutor(len(addresses)) as pool:
        return all(found is Reach.SILENT for found in pool.map(lambda one: reach(*one), addresses))


def reach_of(error: BaseException) -> Reach:
    """What a client's error says, by the operating system's error behind it."""
    for cause in _causes(error):
        match cause:
            case socket.gaierror() | UnicodeError():
                return Reach.HOST_UNKNOWN
            case ssl.SSLError():
                return Reach.TLS
            case ConnectionRefusedError():
                return Reach.REFUSED
    return Reach.SILENT


def no_answer(doing: str, error: BaseException, unavailable: type[PipelineError]) -> PipelineError:
    """What a request without an answer is raised as, with what the network says; `unavailable`: of
    the service, where the network itself is at no fault.
    """
    match reach_of(error):
        case Reach.HOST_UNKNOWN:
            return HostUnknown(f"{doing}: {Reach.HOST_UNKNOWN.value}.")
        case Reach.TLS:
            return TlsRefused(f"{doing}: {Reach.TLS.value}.")
        case Reach.REFUSED:
            return unavailable(f"{doing}: {Reach.REFUSED.value}.")
        case _:
            return unavailable(f"{doing}: {type(error).__name__}.")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
