"""What the client asks of a limiter. A team may bring one of its own."""

from typing import Protocol

from fusedesk_async._clock import Clock
from fusedesk_async._events import Observers
from fusedesk_async._exports import public
from fusedesk_async._ratelimit.allowance import Allowance
from fusedesk_async._ratelimit.estimates import Estimate
from fusedesk_async._ratelimit.queues import Permit, Slots, WaitPolicy
from fusedesk_async._wire.answer import Answer
from fusedesk_async._wire.profile import ServerProfile, UsageCounts
from fusedesk_async.errors import APIError, RateLimitError, Request


@public
class Limiter(Protocol):
    """Says when calls may go. `RateLimiter` is one; a client takes any other that has these methods.

    A call asks for a permit before each request, and gives it back with the response. One limiter may serve several
    clients, of one key, in one event loop.
    """

    @property
    def observers(self) -> Observers:
        """Who is notified of waits for quota."""
        ...

    @property
    def allowance(self) -> Allowance:
        """What is known of the quota now."""
        ...

    @property
    def usage_header(self) -> str | None:
        """The name of the header that counts calls, in lower case; None as long as it is not known."""
        ...

    @property
    def usage_counts(self) -> UsageCounts | None:
        """What that header counts; None as long as it is not known."""
        ...

    def begin_with(self, profile: ServerProfile) -> None:
        """Take over what an earlier client has found out of the header that counts calls."""
        ...

    def attach(self, clock: Clock, slots: Slots, account: str) -> None:
        """A client is opened.

        Args:
            clock: Its clock.
            slots: Its slots.
            account: Its host, and a fingerprint of its key.
        """
        ...

    def detach(self, slots: Slots) -> None:
        """A client is closed. Its calls that wait for a permit must fail, and no others may come."""
        ...

    async def flush(self) -> None:
        """The last responses of a client that is closed have come. The caller waits for this a few seconds."""
        ...

    def estimate(self, calls: int, *, concurrency: int) -> Estimate:
        """How long so many bulk calls take from now on.

        Args:
            calls: How many.
            concurrency: How many of them are in flight at once.
        """
        ...

    async def acquire(
        self, slots: Slots, policy: WaitPolicy, request: Request, rejection: APIError | None = None
    ) -> Permit:
        """Wait for a permit to make one exchange, and for a slot, of which it takes one.

        Args:
            slots: Where it takes a slot.
            policy: How it waits.
            request: What is asked.
            rejection: The error that the server's 429 means, if the call was rejected before.

        Raises:
            RateLimitError: The quota would delay it longer than it is willing to wait.
        """
        ...

    def finish(self, permit: Permit, answer: Answer | None, *, sent: bool = True) -> None:
        """Take back a permit, and its slot. It must not wait.

        Args:
            permit: What `acquire` gave.
            answer: The response that came; None if none did.
            sent: Whether the request may have left; False only if it certainly did not.
        """
        ...

    def rate_limit_error(self, request: Request, policy: WaitPolicy, rejection: APIError) -> RateLimitError:
        """The error for a call that the server rejected and that is not sent again; it says when to ask again.

        Args:
            request: What was asked.
            policy: How it waits.
            rejection: The error that the server's 429 means.
        """
        ...
