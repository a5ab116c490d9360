"""A way to a Postgres server that is cut when something passes."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

LONGEST_WAIT = 0.5
"""Seconds for a response; to a part of a pipeline there is none."""
SOCKET = ".s.PGSQL.5432"


class PostgresProxy:
    """Passes bytes on between clients and a server, each connection in threads of its own.

    Attributes:
        url: The address of the database by this way.
        cut_at: What a client sends before its connection is cut; empty for nothing.
        is_delivered: Whether the server still gets it, and only its response is lost.
        cuts: How many connections are still to be cut.
    """

    def __init__(self, url: str, folder: Path) -> None:
        host = parse_qs(urlsplit(url).query)["host"][0]
        self.url = url.replace(host, str(folder))
        self.cut_at, self.is_delivered, self.cuts, self._passing = b"", True, 0, 0
        self._server = f"{host}/{SOCKET}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / SOCKET))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, text: bytes, *, is_delivered: bool, nth: int = 1, times: int = 1) -> None:
        """Cut the connection of whoever sends a text for the n-th time, and of those that come next."""
        self.cut_at, self.is_delivered, self.cuts, self._passing = text, is_delivered, times, nth - 1

    def is_due(self, content: bytes) -> bool:
        """Whether a connection is to be cut now."""
        if not self.cuts or self.cut_at not in content:
            return False
        self._passing -= 1
        self.cuts -= self._passing < 0
        return self._passing < 0

    def close(self) -> None:
        """Take no more clients."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            _Pair(self, client, self._server)


class _Pair:
    """The connections of one client."""

    def __init__(self, proxy: PostgresProxy, client: socket.socket, address: str) -> None:
        self._proxy, self._client, self._server = proxy, client, socket.socket(socket.AF_UNIX)
        self._server.connect(address)
        self._is_muted, self._has_responded = False, threading.Event()
        for work in (self._pass_requests, self._pass_responses):
            threading.Thread(target=work, daemon=True).start()

    def _pass_requests(self) -> None:
        with suppress(OSError):
            while content := self._client.recv(1 << 20):
                if self._proxy.is_due(content):
                    self._cut(content)
                    break
                self._server.sendall(content)
        self._end()

    def _cut(self, content: bytes) -> None:
        self._is_muted = True
        if self._proxy.is_delivered:
            self._server.sendall(content)
            self._has_responded.wait(LONGEST_WAIT)

    def _pass_responses(self) -> None:
        with suppress(OSError):
            while content := self._server.recv(1 << 20):
                if not self._is_muted:
                    self._client.sendall(content)
                self._has_responded.set() if self._is_muted else self._has_responded.clear()
        self._end()

    def _end(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def proxied(url: str) -> Iterator[PostgresProxy]:
    """A proxy for as long as the block lasts."""
    with TemporaryDirectory(prefix="fusedesk-proxy-") as folder:
        proxy = PostgresProxy(url, Path(folder))
        try:
            yield proxy
        finally:
            proxy.close()
