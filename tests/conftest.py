"""What several rooms' tests share: a real PostgreSQL server and a local Spark session.

Where a test needs a program that is missing, it is skipped with the reason; in CI, where the
programs are installed, that is a failure.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote_plus

import pytest
from hypothesis import HealthCheck, settings

# The same examples every time, and no limit on how long they take: the machine may be busy.
settings.register_profile(
    "regulars",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("regulars")

# OpenMP threads that wait by spinning starve the others on a small machine. LightGBM reads this
# when it is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# As the command line sets it: one thread is the fastest on small problems.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# With signs that an address has to escape, so that escaping is tested too.
POSTGRES_PASSWORD = "pa:ss/w@rd"  # noqa: S105


def absent(reason: str) -> NoReturn:
    """Skip for a missing program; fail in CI, where it has to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (in CI it has to be there)", pytrace=False)
    pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the tables that tests recorded as the property ``table``, also from workers."""
    shown: dict[str, list[str]] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", ()):
                if name == "table":
                    title, text = value
                    shown.setdefault(title, []).append(text)
    for title, texts in shown.items():
        terminalreporter.section(title)
        for text in texts:
            terminalreporter.write_line(text)


@dataclass(frozen=True)
class PostgresServer:
    """A PostgreSQL server of this test run.

    Parameters
    ----------
    port : int
        On 127.0.0.1.
    """

    port: int

    def uri(self, database: str = "postgres", password: str = POSTGRES_PASSWORD) -> str:
        """Address of a database."""
        secret = quote_plus(password)
        return f"postgresql://regulars:{secret}@127.0.0.1:{self.port}/{database}"

    def run(self, database: str, *statements: str) -> None:
        """Run statements in a database, each committed at once."""
        import psycopg

        with psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="regulars",
            password=POSTGRES_PASSWORD,
            dbname=database,
            autocommit=True,
        ) as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL server with an empty data folder, stopped at the end."""
    binaries = _postgres_binaries()
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    user = _unprivileged_user()
    # Not under tmp_path: pytest closes that folder to other users, and the server runs as one.
    folder = Path(tempfile.mkdtemp(prefix="regulars-postgres-"))
    data, port = folder / "data", _free_port()
    secret = folder / "password"
    secret.write_text(POSTGRES_PASSWORD)
    for path in (folder, secret):
        shutil.chown(path, user) if user else None
    as_user: dict[str, Any] = {"user": user, "group": _group(user), "extra_groups": []}
    as_user = as_user if user else {}
    options = ["--auth=scram-sha-256", "-U", "regulars", f"--pwfile={secret}", "-E", "UTF8"]
    _run([binaries / "initdb", "-D", data, "--locale=C", "--no-sync", *options], folder, as_user)
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
    control = [binaries / "pg_ctl", "-D", data, "-w"]
    _run([*control, "-l", folder / "log", "-o", settings, "start"], folder, as_user)
    try:
        yield PostgresServer(port)
    finally:
        _run([*control, "-m", "immediate", "stop"], folder, as_user)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> tuple[PostgresServer, str]:
    """The server and the name of a fresh, empty database on it."""
    name = f"test_{uuid.uuid4().hex}"
    postgres_server.run("postgres", f"CREATE DATABASE {name}")
    return postgres_server, name


def _postgres_binaries() -> Path:
    """Newest of Debian's folders with the server's programs, or the one on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path))
    if not found:
        absent("PostgreSQL's server programs are not installed (Debian: postgresql)")
    return found[-1].parent


def _version(program: Path) -> float:
    try:
        return float(program.parent.parent.name)
    except ValueError:
        return 0.0


def _unprivileged_user() -> str | None:
    """User to run the server as when this is root, whom it refuses."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


def _group(user: str | None) -> int:
    return pwd.getpwnam(user).pw_gid if user else os.getegid()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(command: list[Any], folder: Path, as_user: dict[str, Any]) -> None:
    """Run a server program; its output goes to a file, as the server keeps the pipe open."""
    output = folder / "output"
    with output.open("ab") as out:
        words = [str(word) for word in command]
        done = subprocess.run(words, cwd=folder, stdout=out, stderr=out, check=False, **as_user)
    if done.returncode:
        pytest.fail(f"{words[0]} failed:\n{output.read_text()[-2000:]}", pytrace=False)


@pytest.fixture(scope="session")
def spark_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One Spark session a run, sized for tests: two threads, no pages, everything in a temp."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        absent("Java is not installed (Debian: default-jre-headless)")
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        absent("pyspark is not installed (the extra spark)")
    folder = tmp_path_factory.mktemp("spark")
    session = (
        SparkSession.builder.master("local[2]")
        .appName("regulars-tests")
        # No browser page, and no port that another worker could hold.
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "2g")
        # The tables are tiny: more partitions only cost time.
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.default.parallelism", "1")
        .config("spark.sql.session.timeZone", "UTC")
        # Managed tables and Derby's files must not land in the working folder.
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.driver.extraJavaOptions", f"-Dderby.system.home={folder}")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture
def spark(spark_session: Any) -> Iterator[Any]:
    """Ibis on the Spark session; views and cached tables of a test go with it."""
    import ibis

    yield ibis.pyspark.connect(spark_session)
    spark_session.catalog.clearCache()
    for table in spark_session.catalog.listTables():
        if table.isTemporary:
            spark_session.catalog.dropTempView(table.name)
