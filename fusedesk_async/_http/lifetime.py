"""A client lives from the opening to the end of one `async with`, in one event loop of one process."""

from typing import Literal

from anyio.lowlevel import current_token

from fusedesk_async.errors import ConfigurationError


class Lifetime:
    """Says when a client may be used, and if not, why not."""

    def __init__(self) -> None:
        self._state: Literal["new", "open", "closed"] = "new"
        self._loop: object = None

    def begin(self) -> None:
        """The client is opened.

        Raises:
            ConfigurationError: It was opened before.
        """
        if self._state != "new":
            message = f"this client is {self._state} already; make a new one for each `async with`"
            raise ConfigurationError(message)
        self._state, self._loop = "open", current_token()

    def end(self) -> bool:
        """The client is closed; False if there is nothing to close."""
        was_open, self._state = self._state == "open", "closed"
        return was_open

    def check(self) -> None:
        """Refuse a call at the wrong time or place.

        Raises:
            ConfigurationError: The client is not open, or belongs to another event loop (as after a fork).
        """
        if self._state == "new":
            message = "open the client first: async with FuseDesk(…) as desk: …"
            raise ConfigurationError(message)
        if self._state == "closed":
            message = "this client is closed; make a new one"
            raise ConfigurationError(message)
        if self._loop != current_token():
            message = "this client belongs to another event loop; make one for each loop and process"
            raise ConfigurationError(message)
