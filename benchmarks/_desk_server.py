"""Serves made-up cases under a quota: `_desk_server.py PLAN`, where PLAN is a `_desk.Plan` as JSON.

Prints its port. Ends when its standard input does. `GET /stats` is outside the quota and tells what was counted.
"""

import asyncio
import json
import math
import random
import re
import sys
from collections import Counter
from typing import Any, cast

import orjson
from _bench import first_page
from _desk import Plan

from fusedesk_async.sandbox import Sandbox

KINDS = 500
"""So many different cases there are; beyond that only the ids differ."""

_PAGE = re.compile(rb"GET /api/v1/cases\?(\S*)")
_CASE = re.compile(rb"GET /api/v1/cases/(\d+) ")
_REFUSAL = b'{"error":"API call limit exceeded","errorcode":"api_error_ratelimit"}'
_HISTORY = b',"history":[{"type":"note","title":"Internal","note":"Seen.","date_added":"2026-04-09T08:45:27-05:00"}]}'


class Desk:
    """Cases by offset and by id, and the quota."""

    def __init__(self, plan: Plan) -> None:
        self.counts = Counter({"pages": 0, "cases": 0, "refused": 0})
        self._plan = plan
        self._limit = plan.make_limit()
        self._began: float | None = None
        records = orjson.loads(first_page(Sandbox(KINDS)))
        self._kinds = [_without_ids(record) for record in records]

    def answer(self, head: bytes, now: float) -> bytes:
        """The answer to a request, ready to send."""
        self._began = now if self._began is None else self._began
        now -= self._began
        if self._limit is not None and not self._limit.admit(now):
            self.counts["refused"] += 1
            return _response(b"429 Too Many Requests", _REFUSAL, *self._usage(now), *self._wait(now))
        if case := _CASE.match(head):
            self.counts["cases"] += 1
            return _response(b"200 OK", self._case(int(case[1]))[:-1] + _HISTORY, *self._usage(now))
        self.counts["pages"] += 1
        return _response(b"200 OK", self._page(head), *self._usage(now))

    def _page(self, head: bytes) -> bytes:
        query = _PAGE.match(head)
        numbers = {name: int(value) for name, value in re.findall(rb"(limit|offset)=(\d+)", query[1] if query else b"")}
        offset = numbers.get(b"offset", 0)
        beyond = min(offset + numbers.get(b"limit", 50), self._plan.rows)
        return b"[" + b",".join(self._case(number) for number in range(offset + 1, beyond + 1)) + b"]"

    def _case(self, number: int) -> bytes:
        return b'{"caseid":%d,"id":%d,%b' % (number, number, self._kinds[number % KINDS])

    def _usage(self, now: float) -> list[bytes]:
        if self._limit is None or not self._plan.usage_headers:
            return []
        limit, left = self._limit.limit, self._limit.remaining(now)
        return [b"X-FuseDesk-Usage-Limit: %d" % limit, b"X-FuseDesk-Usage-Remaining: %d" % left]

    def _wait(self, now: float) -> list[bytes]:
        if self._limit is None or not self._plan.retry_after:
            return []
        return [b"Retry-After: %d" % math.ceil(self._limit.retry_after(now))]


def _without_ids(record: dict[str, Any]) -> bytes:
    """A record as JSON, from its third member on."""
    return orjson.dumps({name: value for name, value in record.items() if name not in {"caseid", "id"}})[1:]


def _response(status: bytes, body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Type: application/json", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"", body])


class _Connection(asyncio.Protocol):
    def __init__(self, desk: Desk, plan: Plan, source: random.Random) -> None:
        self._desk = desk
        self._latency = plan.latency
        self._source = source
        self._loop = asyncio.get_running_loop()
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            if head.startswith(b"GET /stats "):
                self._transport.write(_response(b"200 OK", json.dumps(self._desk.counts).encode()))
                continue
            answer = self._desk.answer(head, self._loop.time())
            if latency := self._source.uniform(*self._latency):
                self._loop.call_later(latency, self._transport.write, answer)
            else:
                self._transport.write(answer)


async def main(plan: Plan, desk: Desk) -> None:
    loop, source = asyncio.get_running_loop(), random.Random(1)
    server = await loop.create_server(lambda: _Connection(desk, plan, source), "127.0.0.1")
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    told = Plan(**json.loads(sys.argv[1]))
    asyncio.run(main(told, Desk(told)))
