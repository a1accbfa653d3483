"""Asking several services at the same time: the slowest decides how long it takes, not the sum."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def side_by_side(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Call each in a thread of its own; what they return, in their order. Raises what the first of
    them raised. Ctrl-C ends the waiting at once.
    """
    answers: list[T | None] = [None] * len(calls)
    errors: list[BaseException | None] = [None] * len(calls)

    def run(number: int, call: Callable[[], T]) -> None:
        try:
            answers[number] = call()
        except BaseException as error:  # raised again below
            errors[number] = error

    threads = [  # daemons: a process that ends does not wait for a service that does not answer
        threading.Thread(target=run, args=each, name="side by side", daemon=True)
        for each in enumerate(calls)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        if error is not None:
            raise error
    return answers  # type: ignore[return-value] # each has run to its end
