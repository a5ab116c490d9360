"""What an export does while FuseDesk is out of reach: it asks again, ever more rarely, and gives up in the end."""

from fusedesk_async._client import FuseDesk
from fusedesk_async.errors import FuseDeskError, NotSentError
from fusedesk_async.export._output import Output

FIRST_PAUSE = 15.0
"""Seconds after which FuseDesk is asked again if it is out of reach; doubled each time."""
LONGEST_PAUSE = 900.0


class OutagePauses:
    """The pauses of an export. It begins as if FuseDesk had been reached just now.

    Args:
        desk: The client.
        output: What reports that FuseDesk is out of reach.
        longest: Seconds for which it may be.
    """

    def __init__(self, desk: FuseDesk, output: Output, longest: float) -> None:
        self._desk = desk
        self._output = output
        self._longest = longest
        self.on_progress()

    def on_progress(self) -> None:
        """Something came: the time begins anew."""
        self._reached_at, self._pause = self._desk.clock.monotonic(), FIRST_PAUSE

    async def wait(self, error: FuseDeskError) -> None:
        """Wait before the next attempt.

        Raises:
            FuseDeskError: The error, if waiting does not help, or has taken too long.
        """
        clock = self._desk.clock
        remaining = self._longest - (clock.monotonic() - self._reached_at)
        if remaining <= 0 or not self._is_transient(error):
            raise error
        self._report(str(error))
        await clock.sleep(min(self._pause, remaining))
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._report("")

    def _is_transient(self, error: FuseDeskError) -> bool:
        """Whether waiting may help: not with an address that never answered."""
        permanent = isinstance(error, NotSentError) and error.permanent
        return not permanent and bool(self._output.meter.calls)

    def _report(self, outage: str) -> None:
        self._output.outage = outage
        self._output.notify()
