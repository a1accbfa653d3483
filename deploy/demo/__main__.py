"""`make run`."""

from __future__ import annotations

from deploy.starting import begin


def program() -> None:
    from deploy.demo.live import run_command

    run_command()


if __name__ == "__main__":
    begin(program)
