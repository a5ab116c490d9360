"""A FuseDesk on your own machine: believable cases behind the real API, with rate limits and faults by choice.

In process, without a socket: `httpx.AsyncClient(transport=httpx.ASGITransport(Sandbox().app), base_url=…)`.
On a socket: `serve` and `serve_in_thread`. The app needs `pip install "fusedesk_async[sandbox]"`.
"""

from ._clock import Clock, SystemClock, VirtualClock
from ._endpoints import ALL_SCOPES
from ._faults import Fault
from ._limits import FixedHour, RateLimit, SlidingHour, TokenBucket
from ._profile import SandboxProfile
from ._received import Received
from ._sandbox import Sandbox
from ._server import serve, serve_in_thread

__all__ = [
    "ALL_SCOPES",
    "Clock",
    "Fault",
    "FixedHour",
    "RateLimit",
    "Received",
    "Sandbox",
    "SandboxProfile",
    "SlidingHour",
    "SystemClock",
    "TokenBucket",
    "VirtualClock",
    "serve",
    "serve_in_thread",
]
