"""`python -m tests.failures.without [NAME ...]`: the program with one guard taken out at a time,
and the test that must then fail.

Works on copies of the tree. A guard is a piece of text in one file; `tests/failures/test_guards.py`
sees to it that the pieces are still there,
and that docs/explanation/guards.md lists the same guards and tests.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

import click

from tests.failures.guard import Guard
from tests.failures.guards import GUARDS
from tests.failures.trial import Copy, Needs, Verdict

ROOT = Path(__file__).parents[2]
SEEN = ".guards.jsonl"
Report = Callable[[str], None]


@click.command()
@click.argument("names", nargs=-1)
@click.option("--jobs", default=2, help="Tests at a time; with a database two, with Kafka one.")
@click.option(
    "--needs", type=click.Choice(Needs, case_sensitive=False), help="Only tests that need this."
)
@click.option(
    "--again", is_flag=True, help="Also guards that were held when their files were as now."
)
def main(*, names: Sequence[str], jobs: int, needs: Needs | None, again: bool) -> None:
    """Each guard's test with it (must pass) and without it (must fail), a line each;
    NAME: only guards whose name holds one of these. What was held is remembered by the contents
    of the guard's file and the test's, so that a run that was stopped continues.
    """
    chosen = [guard for guard in GUARDS if not names or any(name in guard.name for name in names)]
    trial = Trial(ROOT, click.echo, jobs, needs)
    wrong = trial.run(chosen, again=again)
    click.echo(f"{trial.done} guards tried, {len(wrong)} not held, in {trial.elapsed()}")
    for verdict in wrong:
        click.echo(f"NOT HELD {verdict.guard.name}: {verdict.guard.test}: {verdict.reason}")
    sys.exit(1 if wrong or not chosen else 0)


@dataclass
class Trial:
    """Tries guards of the tree at `root`, and remembers those that were held."""

    root: Path
    report: Report
    jobs: int = 2
    needs: Needs | None = None
    done: int = 0
    begun: float = field(default_factory=time.monotonic)

    def run(self, guards: Iterable[Guard], *, again: bool = False) -> list[Verdict]:
        """Those that are not held."""
        seen = set() if again else self._seen()
        left = [guard for guard in guards if self._fingerprint(guard) not in seen]
        wrong: list[Verdict] = []
        with tempfile.TemporaryDirectory() as directory:
            copies = [Copy(self.root, Path(directory) / str(n)) for n in range(self.jobs)]
            tests = sorted({guard.test for guard in left})
            needed = copies[0].needs(tests) if tests else {}
            for needs in Needs:
                of_kind = [guard for guard in left if needed[guard.test] is needs]
                if of_kind and self.needs in (None, needs):
                    wrong += self._of_kind(needs, of_kind, copies[: needs.jobs])
        return wrong

    def _of_kind(
        self, needs: Needs, guards: Sequence[Guard], copies: Sequence[Copy]
    ) -> list[Verdict]:
        tests = sorted({guard.test for guard in guards})
        self.report(f"{self.elapsed()} {needs}: {len(tests)} tests with every guard in its place")
        red = copies[0].red(tests)
        wrong = [
            Verdict(guard, False, f"red with it: {red[guard.test]}")
            for guard in guards
            if guard.test in red
        ]
        left = [guard for guard in guards if guard.test not in red]
        for number, verdict in enumerate(_tried(left, copies), 1):
            self.done += 1
            word = "red" if verdict.is_held else "NOT HELD"
            place = f"{self.elapsed()} {needs} {number}/{len(left)}"
            self.report(f"{place} {word} {verdict.guard.name}: {verdict.reason}")
            if verdict.is_held:
                self._remember(verdict)
            else:
                wrong.append(verdict)
        return wrong

    def elapsed(self) -> str:
        """Minutes and seconds since the beginning."""
        minutes, seconds = divmod(int(time.monotonic() - self.begun), 60)
        return f"{minutes}:{seconds:02}"

    # -- what was held -----------------------------------------------------------------------------

    def _seen(self) -> set[str]:
        file = self.root / SEEN
        lines = file.read_text().splitlines() if file.exists() else []
        return {json.loads(line)["fingerprint"] for line in lines}

    def _remember(self, verdict: Verdict) -> None:
        found = {
            "fingerprint": self._fingerprint(verdict.guard),
            "name": verdict.guard.name,
            "reason": verdict.reason,
        }
        with (self.root / SEEN).open("a") as file:
            file.write(json.dumps(found) + "\n")

    def _fingerprint(self, guard: Guard) -> str:
        """Of the guard, its file and its test's file: what else they use is not asked."""
        texts = [guard.text, guard.instead, guard.test]
        texts += [(self.root / guard.file).read_text()]
        texts += [(self.root / guard.test.partition("::")[0]).read_text()]
        return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


def _tried(guards: Sequence[Guard], copies: Sequence[Copy]) -> Iterator[Verdict]:
    """Verdicts as they come, one guard at a time in each copy."""
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def one(guard: Guard) -> Verdict:
        copy = free.get()
        try:
            return copy.without(guard)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as workers:
        for future in as_completed([workers.submit(one, guard) for guard in guards]):
            yield future.result()


if __name__ == "__main__":
    main()
