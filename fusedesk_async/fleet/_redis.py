"""A shared quota in Redis, for processes on any number of machines."""

from contextlib import nullcontext
from typing import Any, cast
from urllib.parse import urlsplit

from fusedesk_async._ratelimit.quota_store import Change, StoreUnreachable, T
from fusedesk_async._wire.api_key import MASK
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.fleet._connected import STORE_TIMEOUT, ConnectedStore

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError:
    message = 'RedisQuota needs redis-py: pip install "fusedesk_async[redis]"'
    raise ImportError(message) from None

WRITE_IF_UNCHANGED = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""
KEPT_FOR = 2 * 24 * 3_600
"""Seconds after which Redis forgets an account that nobody uses."""
MOST_ATTEMPTS = 20
LOCK_PAUSE = 0.002
"""Seconds after which one who waits for the lock tries again."""


class RedisQuota(ConnectedStore):
    """A shared quota in Redis. A change is written if no other one came in between, else it is made again, alone.

        limiter = RateLimiter(shared=RedisQuota("redis://cache:6379/0"))

    Needs `fusedesk_async[redis]` and a server of version 5 or newer. Where Redis forgets all, as when it starts again
    without having saved anything, the next response says how many calls remain.

    Args:
        url: Where Redis is, as redis-py takes it: `redis://`, `rediss://` or `unix://`.
        prefix: What the keys begin with.

    Raises:
        ConfigurationError: This cannot be right, or redis-py is not installed.
    """

    def __init__(self, url: str, *, prefix: str = "fusedesk:quota:") -> None:
        super().__init__()
        self._url, self._prefix = url, prefix
        parts = urlsplit(url)
        self._name, self._password = parts.hostname or parts.path, parts.password
        try:
            self._make_client().close()
        except ValueError:
            message = "url is not the address of a Redis server, such as redis://host:6379/0"
            raise ConfigurationError(message) from None

    def __repr__(self) -> str:
        return f"RedisQuota({self._name!r})"

    @property
    def _errors(self) -> tuple[type[Exception], ...]:
        return (redis.RedisError, OSError)

    def _failure(self, error: Exception) -> Exception:
        if isinstance(error, redis.ResponseError) and "WRONGTYPE" in str(error):
            return ConfigurationError(self._clean(error))
        return super()._failure(error)

    def _clean(self, error: Exception) -> str:
        return super()._clean(error).replace(self._password or "\0", MASK)

    def _make_client(self) -> Any:
        wait = STORE_TIMEOUT
        return cast("Any", redis.Redis).from_url(
            self._url, socket_timeout=wait, socket_connect_timeout=wait, retry=Retry(NoBackoff(), 0)
        )

    def _connect(self) -> Any:
        return self._make_client()

    def _transact(self, connection: Any, account: str, change: Change[T]) -> T:
        key = f"{self._prefix}{account}"
        lock = connection.lock(f"{key}:lock", timeout=STORE_TIMEOUT, sleep=LOCK_PAUSE, blocking_timeout=STORE_TIMEOUT)
        for attempt in range(MOST_ATTEMPTS):
            with lock if attempt else nullcontext():
                with connection.pipeline(transaction=True) as both:
                    old, (seconds, microseconds) = both.get(key).time().execute()
                state, result = change(old, seconds + microseconds / 1e6)
                if connection.eval(WRITE_IF_UNCHANGED, 1, key, old or b"", state, KEPT_FOR):
                    return result
        message = f"{self!r}: others were faster {MOST_ATTEMPTS} times"
        raise StoreUnreachable(message)
