"""The settings of a client, as a type for those who hand them on."""

import ssl
from typing import TypedDict

from fusedesk_async._auth import AuthMode
from fusedesk_async._clock import Clock
from fusedesk_async._exchange import HttpTransport
from fusedesk_async._ratelimit import RateLimiter
from fusedesk_async._retry import RetryPolicy
from fusedesk_async._transport import OnRateLimit


class Settings(TypedDict, total=False):
    """The settings of `FuseDesk` besides app, key and address."""

    auth: AuthMode
    timeout: float
    retry: RetryPolicy
    limiter: RateLimiter | None
    concurrency: int
    on_rate_limit: OnRateLimit
    strict: bool
    max_body: int
    proxy: str | None
    verify: bool | ssl.SSLContext
    transport: HttpTransport | None
    clock: Clock | None
