"""The server's clock beside this machine's."""

from collections.abc import Mapping

from fusedesk_async._clock import Clock
from fusedesk_async._hints import timestamp


class ServerClock:
    """What the answers tell of the server's time, by their `Date`.

    Attributes:
        clock: This machine's.
        ahead: Seconds that the server's is ahead of it, to within a second and the time an answer takes; None as long
            as no answer has told.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.ahead: float | None = None

    def hear(self, headers: Mapping[str, str], received_at: float) -> None:
        """Compare the two.

        Args:
            headers: An answer's headers, names in lower case.
            received_at: When it came by this machine's clock, in seconds since 1970.
        """
        told = timestamp(headers.get("date", ""))
        if told is not None:
            self.ahead = told - received_at
