"""`python -m deploy.local install` fetches the embedded stack;
`python -m deploy.local` runs it until Ctrl-C.
"""

from __future__ import annotations

from deploy.starting import begin


def program() -> None:
    from deploy.local.commands import run_command

    run_command()


if __name__ == "__main__":
    begin(program)
