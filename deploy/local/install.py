"""Fetching the Java parts of the embedded stack with Maven, once, into the project's own folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
POMS = Path(__file__).parent / "poms"
MAVEN_SECONDS = 900
CONVERTER = "io.apicurio.registry.utils.converter.AvroConverter"
REGISTRY = "io.apicurio:apicurio-registry-app:3.3.3:tar.gz:all"
# Connect brings these itself;
# an older one beside a plugin breaks the worker (JsonConverter cannot be instantiated).
PROVIDED = (
    "kafka-clients-",
    "connect-api-",
    "connect-json-",
    "slf4j-api-",
    "lz4-java-",
    "snappy-java-",
    "zstd-jni-",
)

Report = Callable[[str], None]


class InstallFailed(RuntimeError):
    """Something that the embedded stack needs is missing, or could not be fetched."""


def stack_directory() -> Path:
    """Where everything is installed and run; AJERA_CDC_STACK_DIR moves it."""
    return Path(os.environ.get("AJERA_CDC_STACK_DIR", PROJECT / ".stack"))


def install(report: Report) -> Path:
    """Install what is not there yet; returns the folder of the libraries. Raises InstallFailed."""
    home = stack_directory()
    home.mkdir(parents=True, exist_ok=True)
    stamp, wanted = home / "installed", _fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return home / "lib"
    with (home / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (stamp.exists() and stamp.read_text() == wanted):
            _install(home, report)
            stamp.write_text(wanted)
    return home / "lib"


def _fingerprint() -> str:
    texts = [path.read_bytes() for path in sorted(POMS.glob("*.xml"))]
    return hashlib.sha256(
        b"\0".join([*texts, REGISTRY.encode(), b"3", ",".join(PROVIDED).encode()])
    ).hexdigest()


def _install(home: Path, report: Report) -> None:
    if shutil.which("mvn") is None:
        raise InstallFailed(
            "Maven (`mvn`) is missing. Install it (on Debian or Ubuntu: `apt-get install maven`) "
            "and try again."
        )
    shutil.rmtree(home / "lib", ignore_errors=True)
    report("Fetching kafka with Maven (once; about half a minute) ...")
    _copy(home, POMS / "kafka.xml", home / "lib" / "kafka")
    report("Fetching plugins with Maven (once; about half a minute) ...")
    install_plugin(home, POMS / "plugins.xml", home / "lib" / "plugins" / "debezium")
    report("Fetching the schema registry with Maven (once; 158 MB) ...")
    _maven(
        home,
        "-f",
        str(POMS / "kafka.xml"),
        "dependency:copy",
        f"-Dartifact={REGISTRY}",
        f"-DoutputDirectory={home / 'lib'}",
    )
    archive = next((home / "lib").glob("apicurio-registry-app-*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(home / "lib" / "registry", filter="data")
    archive.unlink()


def install_plugin(home: Path, pom: Path, folder: Path) -> None:
    """What a POM lists, as a plugin of Connect: a folder of its own in the plugins' path."""
    _copy(home, pom, folder)
    for jar in folder.glob("*.jar"):
        if jar.name.startswith(PROVIDED):
            jar.unlink()
    _declare_converter(folder)


def _copy(home: Path, pom: Path, folder: Path) -> None:
    goal, scope = "dependency:copy-dependencies", "-DincludeScope=runtime"
    _maven(home, "-f", str(pom), goal, f"-DoutputDirectory={folder}", scope)


def _declare_converter(plugin: Path) -> None:
    """The converter's jar does not declare itself as a service,
    which Connect's quick discovery goes by.
    """
    with zipfile.ZipFile(plugin / "declared-converter.jar", "w") as jar:
        jar.writestr(
            "META-INF/services/org.apache.kafka.connect.storage.Converter",
            f"{CONVERTER}\n",
        )


def _maven(home: Path, *arguments: str) -> None:
    command = [
        "mvn",
        "-B",
        "-q",
        f"-Dmaven.repo.local={home / 'm2'}",
        *arguments,
    ]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=MAVEN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InstallFailed(
            f"Maven did not finish within {MAVEN_SECONDS} s; is the network slow or closed?"
        ) from error
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise InstallFailed(f"Maven failed; its last lines:\n{last}")
