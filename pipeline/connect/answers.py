"""What Kafka Connect's REST interface answers: JSON, or a refusal in its words."""

from __future__ import annotations

from typing import Any

import httpx

from pipeline.connect.explain import explain
from pipeline.errors import (
    ConnectorFailed,
    CredentialsRefused,
    HostUnknown,
    PipelineError,
    ServiceUnreachable,
    TlsRefused,
)
from pipeline.network import Reach, reach_of


def json_of(method: str, path: str, response: httpx.Response) -> Any:
    """The answer's JSON, None for an empty one. Raises ServiceUnreachable for another page."""
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError as error:
        where = f"Kafka Connect, {method} {path}: HTTP {response.status_code}"
        raise ServiceUnreachable(
            f"{where}, not an answer of Kafka Connect: check `connect.url`."
        ) from error


def refusal(method: str, path: str, response: httpx.Response) -> PipelineError:
    """What an answer that is an error is raised as."""
    where = f"Kafka Connect, {method} {path}: HTTP {response.status_code}"
    if response.status_code in (
        httpx.codes.UNAUTHORIZED,
        httpx.codes.FORBIDDEN,
    ):
        return CredentialsRefused(f"{where}: the user or the password is refused.")
    try:
        message = explain(str(response.json()["message"]))
    except (ValueError, KeyError, TypeError):
        return ServiceUnreachable(f"{where}, not an answer of Kafka Connect: check `connect.url`.")
    if response.status_code in (
        httpx.codes.BAD_GATEWAY,
        httpx.codes.SERVICE_UNAVAILABLE,
        httpx.codes.GATEWAY_TIMEOUT,
    ):
        return ServiceUnreachable(f"{where}: {message}")
    return ConnectorFailed(f"{where}: {message}")


def no_answer(doing: str, error: httpx.HTTPError) -> PipelineError:
    """What a request without an answer is raised as, with what the network says."""
    match reach_of(error):
        case Reach.HOST_UNKNOWN:
            return HostUnknown(f"{doing}: {Reach.HOST_UNKNOWN.value}.")
        case Reach.TLS:
            return TlsRefused(f"{doing}: {Reach.TLS.value}.")
        case Reach.REFUSED:
            return ServiceUnreachable(f"{doing}: {Reach.REFUSED.value}.")
        case _:
            return ServiceUnreachable(f"{doing}: {type(error).__name__}.")
