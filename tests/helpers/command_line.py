"""What tests of the command line share."""

from collections.abc import Callable
from subprocess import Popen
from typing import TypeAlias

from click.testing import Result
from starlette.types import ASGIApp, Receive, Scope, Send

from fusedesk_async.sandbox import Sandbox

KEY = "canary-7f3a9c"
Invoke: TypeAlias = Callable[..., Result]
"""Runs a command in this process."""
Start: TypeAlias = Callable[..., Popen[bytes]]
"""Runs a command in a process of its own."""


class Stage(Sandbox):
    """Passes requests on to the sandbox of the test that runs: to start and stop a server for each test takes long."""

    def __init__(self) -> None:
        super().__init__(0)
        self.sandbox: Sandbox = self

    @property
    def app(self) -> ASGIApp:
        """The app of whichever sandbox is on stage when a request comes."""

        async def pass_on(scope: Scope, receive: Receive, send: Send) -> None:
            await self.sandbox.app(scope, receive, send)

        return pass_on
