"""Serves pages rendered before, by their offset, so that no server's work slows a client: `_pages_server.py FOLDER`.

Prints its port. Ends when its standard input does.
"""

import asyncio
import re
import sys
from pathlib import Path
from typing import cast

_EMPTY = b"[]"


class _Connection(asyncio.Protocol):
    def __init__(self, pages: dict[int, bytes]) -> None:
        self._pages = pages
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            offset = re.search(rb"[?&]offset=(\d+)", head)
            page = self._pages.get(int(offset[1]) if offset else 0, _EMPTY)
            answer = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(page)}\r\n\r\n"
            self._transport.write(answer.encode() + page)


async def main(pages: dict[int, bytes]) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(pages), "127.0.0.1")
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main({int(path.stem): path.read_bytes() for path in Path(sys.argv[1]).iterdir()}))
