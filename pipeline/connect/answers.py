"""What Kafka Connect's REST interface answers: JSON, or a refusal in its words."""

from __future__ import annotations

from typing import Any

import httpx

from pipeline.connect.explain import explain
from pipeline.errors import (
    ConnectorFailed,
    CredentialsRefused,
    PipelineError,
    ServiceUnreachable,
)


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
