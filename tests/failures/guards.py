"""All guards: the projection's, those of the two-way exchange, and of what is told."""

from __future__ import annotations

from tests.failures.guards_assumed import ASSUMED_GUARDS
from tests.failures.guards_capture import CAPTURE_GUARDS
from tests.failures.guards_events import EVENT_GUARDS
from tests.failures.guards_first import FIRST_GUARDS
from tests.failures.guards_lines import LINE_GUARDS
from tests.failures.guards_one_way import ONE_WAY_GUARDS
from tests.failures.guards_plain import PLAIN_GUARDS
from tests.failures.guards_told import TOLD_GUARDS
from tests.failures.guards_writes import WRITE_GUARDS

TWO_WAY_GUARDS = (
    *EVENT_GUARDS,
    *WRITE_GUARDS,
    *FIRST_GUARDS,
    *ASSUMED_GUARDS,
    *LINE_GUARDS,
    *PLAIN_GUARDS,
)
GUARDS = (*ONE_WAY_GUARDS, *TWO_WAY_GUARDS, *TOLD_GUARDS, *CAPTURE_GUARDS)
