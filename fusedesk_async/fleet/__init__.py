"""One quota for all processes that use the same key: where its state is kept, and what keeps it.

    limiter = RateLimiter(shared=SQLiteQuota("/var/lib/acme/fusedesk.quota"))

or, for clients made by `FuseDesk.from_env` and for the command line, `FUSEDESK_SHARED_QUOTA=sqlite:////…`.
"""

from typing import TYPE_CHECKING

from fusedesk_async._ratelimit.quota_store import Change, QuotaStore, StoreUnreachable
from fusedesk_async.fleet._address import shared_quota

__all__ = [
    "Change",
    "PostgresQuota",
    "QuotaStore",
    "RedisQuota",
    "SQLiteQuota",
    "StoreUnreachable",
    "shared_quota",
]

if TYPE_CHECKING:
    from fusedesk_async.fleet._postgres import PostgresQuota
    from fusedesk_async.fleet._redis import RedisQuota
    from fusedesk_async.fleet._sqlite import SQLiteQuota
else:
    from fusedesk_async._exports import lazily as _lazily

    _LATER = {
        "PostgresQuota": "fusedesk_async.fleet._postgres",
        "RedisQuota": "fusedesk_async.fleet._redis",
        "SQLiteQuota": "fusedesk_async.fleet._sqlite",
    }
    __getattr__ = _lazily(__name__, _LATER)

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LATER})
