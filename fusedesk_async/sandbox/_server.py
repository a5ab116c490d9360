"""The sandbox on a socket: in an asyncio program, or in a thread beside any other. Needs the extra `sandbox`."""

import asyncio
import socket
import threading
import warnings
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from ._sandbox import Sandbox

if TYPE_CHECKING:
    from uvicorn import Server

_POLL_INTERVAL = 0.005  # seconds between two looks whether the server is up


@asynccontextmanager
async def serve(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> AsyncGenerator[str, None]:
    """Serve a sandbox from a running asyncio program while the block lasts; gives the base URL.

    Args:
        sandbox: what to serve.
        host: the IPv4 address to listen on; the default is this machine alone.
        port: 0 takes a free one.
    """
    server = _make_server(sandbox)
    with _listen(host, port) as listener:
        task = asyncio.create_task(server.serve([listener]))
        while not (server.started or task.done()):  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(_POLL_INTERVAL)
        try:
            yield _url(listener)
        finally:
            server.should_exit = True
            await asyncio.shield(task)
    _warn_of_unused_faults(sandbox)


@contextmanager
def serve_in_thread(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> Generator[str, None, None]:
    """Serve a sandbox from a thread of its own while the block lasts; gives the base URL.

    While it serves, only that thread may use the sandbox's state; reading `received` is safe.

    Args:
        sandbox: what to serve.
        host: the IPv4 address to listen on; the default is this machine alone.
        port: 0 takes a free one.
    """
    server = _make_server(sandbox)
    with _listen(host, port) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), name="fusedesk-sandbox", daemon=True)
        thread.start()
        try:
            yield _url(listener)
        finally:
            server.should_exit = True
            thread.join()
    _warn_of_unused_faults(sandbox)


def _warn_of_unused_faults(sandbox: Sandbox) -> None:
    if sandbox.unused_faults:
        message = f"some faults of the sandbox never happened: {'; '.join(sandbox.unused_faults)}"
        warnings.warn(message, UserWarning, stacklevel=4)  # where the block ends


def _make_server(sandbox: Sandbox) -> "Server":
    try:
        from uvicorn import Config, Server  # noqa: PLC0415 - uvicorn is an extra
    except ImportError:
        message = 'serving the sandbox needs uvicorn: pip install "fusedesk_async[sandbox]"'
        raise ImportError(message) from None

    class QuietServer(Server):
        @contextmanager
        def capture_signals(self) -> Generator[None, None, None]:
            yield  # Ctrl-C belongs to the program around us

    config = Config(
        sandbox.app,
        log_level="critical",
        access_log=False,
        lifespan="off",
        date_header=False,  # the sandbox's clock tells the date
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return QuietServer(config)


def _listen(host: str, port: int) -> socket.socket:
    # It listens at once: who connects before the server runs waits in line. The protocol is named, since asyncio sends
    # small answers without delay (TCP_NODELAY) only on sockets that name it.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()
    return f"http://{host}:{port}"
