"""What keeps a shared quota: the protocol of stores, and what they raise."""

from collections.abc import Callable
from typing import Protocol, TypeAlias, TypeVar

T = TypeVar("T")
Change: TypeAlias = Callable[[bytes | None, float], tuple[bytes, T]]
"""Is given what the store holds, None at first, and the time of the store's clock in seconds; gives what the store is
to hold from then on, and a result."""


class StoreUnreachable(Exception):  # noqa: N818 - it is a state of affairs, and no bug
    """The store of a shared quota does not answer, or not in time. The limiter goes on without it; see `RateLimiter`.

    Its text names the store without any password.
    """


class QuotaStore(Protocol):
    """Keeps the state of shared quotas, one for each account.

    Its methods block, and are called in threads, by one limiter one after the other; several limiters may share it.
    """

    def change(self, account: str, change: Change[T]) -> T:
        """Change the state of an account, as one transaction: none but this one reads or changes it meanwhile.

        Args:
            account: Names the state: the host, and a fingerprint of the key.
            change: What to do. It may be called again if another process was faster. What it raises goes on to the
                caller, and leaves the state as it was.

        Returns:
            What it gave beside the state.

        Raises:
            StoreUnreachable: The store does not answer, or not within a few seconds. Whether the state was changed is
                unknown.
        """
        ...

    def close(self) -> None:
        """Close what is open. It is opened again if there is another change."""
        ...
