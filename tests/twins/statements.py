"""Statements of a transaction in memory: each is a turn,
and a failed one spoils the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from pipeline.errors import PipelineError
from tests.twins.tables import Session


class Part(Protocol):
    """A part of a transaction."""

    @property
    def session(self) -> Session: ...


S = TypeVar("S", bound=Part)
P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def spoiling(session: Session) -> Iterator[None]:
    """An error in here spoils the transaction."""
    try:
        yield
    except PipelineError:
        session.is_spoiled = True
        raise


def statement(
    method: Callable[Concatenate[S, P], T],
) -> Callable[Concatenate[S, P], T]:
    """A method that is one statement. Raises TargetRefused after one that failed."""

    @wraps(method)
    def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with spoiling(self.session):
            self.session.statement(method.__name__)
            return method(self, *args, **kwargs)

    return run
