"""What a process that shares its quota asks the store for, and the permits that it was given."""

from itertools import count

import attrs

from fusedesk_async._ratelimit.queues import Permit, Queue, Slots, Waiter
from fusedesk_async._ratelimit.shared_quota import Ending, Report, Wanted
from fusedesk_async._wire.headers import Usage


@attrs.frozen(eq=False, repr=False)
class AskedCall:
    """A call that the store is asked about.

    Attributes:
        waiter: The call.
        queue: Where it waits.
        is_new: Whether it has never been asked about before, if it does not wait for quota.
        has_slot: Whether it has a slot.
    """

    waiter: Waiter
    queue: Queue
    is_new: bool
    has_slot: bool = True

    @property
    def wanted(self) -> Wanted:
        """What the store is asked."""
        policy = self.waiter.policy
        return Wanted(
            bulk=policy.bulk,
            endpoint=self.queue.endpoint,
            seconds=policy.timeout,
            waits=policy.max_wait > 0,
            is_new=self.is_new,
            has_slot=self.has_slot,
        )


@attrs.frozen(eq=False, repr=False)
class Lease:
    """The number of a permit in the store, the generation of that, and until when the call may be sent.

    And how many calls had been rejected when the store was asked for it.
    """

    until: float
    rejections: int
    number: int = 0
    generation: int = 0


@attrs.define(eq=False, repr=False)
class OpenPermits:
    """Permits that were given and not given back. Their numbers are those of this process, in the order they came.

    Attributes:
        rejections: How many calls were rejected with a 429.
    """

    rejections: int = 0

    _leases: dict[int, Lease] = attrs.field(factory=dict[int, Lease])
    _numbers: "count[int]" = attrs.field(factory=count)

    def __len__(self) -> int:
        return len(self._leases)

    def add(self, lease: Lease, slots: Slots, delayed: float) -> Permit:
        """One was given.

        Args:
            lease: What it is to the store.
            slots: Where it takes a slot.
            delayed: Seconds that the quota kept the call waiting.
        """
        permit = Permit(next(self._numbers), slots, delayed)
        self._leases[permit.number] = lease
        return permit

    def is_valid(self, permit: Permit, now: float) -> bool:
        """Whether the call may be sent: not if a 429 came since it was asked for, or too much time has passed."""
        lease = self._leases[permit.number]
        return lease.rejections == self.rejections and now < lease.until

    def end(self, permit: Permit, ending: Ending, usage: Usage, hint: float | None) -> Report:
        """One was given back.

        Args:
            permit: It.
            ending: What came of it.
            usage: What the response says.
            hint: Seconds to wait, if a 429 said.

        Returns:
            What the store is to hear of it.
        """
        lease = self._leases.pop(permit.number)
        self.rejections += ending == "rejected"
        return Report(number=lease.number, generation=lease.generation, ending=ending, usage=usage, hint=hint)
