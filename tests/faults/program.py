"""`ajera-cdc` whose consumers write ten rows at once as they otherwise write a hundred: the firm of
the fault tests is small, and its batches are to go both ways.
"""

from __future__ import annotations

from pipeline.cli.main import main
from pipeline.engine.projection.processor import Processor

LEAST_AT_ONCE = 10

if __name__ == "__main__":
    Processor.least_at_once = LEAST_AT_ONCE
    main()
