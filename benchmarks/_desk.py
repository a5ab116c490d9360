"""A server with a quota in another process, as a value; what it counted; and the least time its quota permits."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import attrs

from fusedesk_async import sandbox

KEY = "not-checked-here"
RESERVE = 0.1


@attrs.frozen
class Plan:
    """What the server is to do.

    Attributes:
        rows: The cases it has; their ids are 1 to `rows`.
        kind: The sandbox's class that counts calls; None for no limit.
        settings: That class's arguments. A bucket's `burst` has to be among them.
        latency: The least and the most seconds between carrying a call out and answering it.
        usage_headers: Whether answers tell the limit and the calls left.
        retry_after: Whether a 429 says how many whole seconds to wait.
    """

    rows: int
    kind: str | None = None
    settings: dict[str, float] = attrs.field(factory=dict)
    latency: tuple[float, float] = (0.0, 0.0)
    usage_headers: bool = True
    retry_after: bool = False

    def make_limit(self, kept: int = 0) -> sandbox.RateLimit | None:
        """The limit, at its start; with fewer calls in it, if `kept` of them are never to be used.

        To call only while more than `kept` calls are left is to be under a limit that is smaller by them: of a
        window its number, of a bucket what it holds, while it fills no slower.
        """
        if self.kind is None:
            return None
        size = "burst" if "burst" in self.settings else "limit"
        limit: sandbox.RateLimit = getattr(sandbox, self.kind)(**self.settings | {size: self.settings[size] - kept})
        return limit

    @property
    def kept(self) -> int:
        """What our own client leaves for people: a tenth, but no more than half of the most it can be shown."""
        if not self.usage_headers:
            return 0
        return int(min(RESERVE * self.settings["limit"], self.settings.get("burst", self.settings["limit"]) / 2))


def bound(plan: Plan, calls: int, slots: int, kept: int = 0) -> float:
    """The least seconds that so many calls take, if no more than `slots` are in flight at once.

    That is what a sender needs who sees the server's state and sends each call as soon as a slot is free and the
    server would admit it. To hold a call back gains nothing: it frees its slot later, and under none of the limits
    does a call that came sooner let fewer through by any later time. For a bucket it comes to
    (calls - burst) / rate + latency, or about calls x latency / slots if that is more.
    """
    limit, now, free = plan.make_limit(kept), 0.0, [0.0] * slots
    for _ in range(calls):
        now = max(now, heappop(free))
        if limit is not None:
            now += limit.retry_after(now)
            assert limit.admit(now)
        heappush(free, now + plan.latency[0])
    return max(free)


@contextmanager
def served(plan: Plan) -> Iterator[str]:
    """Serve from another process while the block lasts; gives the base URL. Time begins with the first call."""
    command = [sys.executable, str(Path(__file__).with_name("_desk_server.py")), json.dumps(attrs.asdict(plan))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin
        assert server.stdout
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.stdin.close()


def counted(url: str) -> dict[str, int]:
    """What the server has counted: pages and cases given, calls refused, and all calls."""
    with urlopen(f"{url}/stats") as answer:
        counts: dict[str, Any] = json.load(answer)
    return counts | {"calls": sum(counts.values())}
