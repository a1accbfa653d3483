"""The program with one route more: `python -m
tests.support.reporting` is typed like `ajera-cdc`.
"""

from __future__ import annotations

from pipeline.cli.main import program
from pipeline.domain.routes import ROUTES
from tests.support.reporting import REPORTING

main = program(lambda: (*ROUTES, REPORTING))

if __name__ == "__main__":
    main()
