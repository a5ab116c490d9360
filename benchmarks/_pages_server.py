"""Serves pages rendered before, by their offset, so that no server's work slows a client: `_pages_server.py FOLDER`.

Prints its port. Ends when its standard input does.
"""

import asyncio
import re
import sys
from pathlib import Path
from typing import cast

import msgspec


class _Connection(asyncio.Protocol):
    def __init__(self, records: list[msgspec.Raw]) -> None:
        self._records = records
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            numbers = {name: int(value) for name, value in re.findall(rb"[?&](limit|offset)=(\d+)", head)}
            offset, limit = numbers.get(b"offset", 0), numbers.get(b"limit", 150)
            page = b"[" + b",".join(self._records[offset : offset + limit]) + b"]"
            answer = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(page)}\r\n\r\n"
            self._transport.write(answer.encode() + page)


async def main(records: list[msgspec.Raw]) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(records), "127.0.0.1")
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    pages = sorted(Path(sys.argv[1]).iterdir(), key=lambda path: int(path.stem))
    read = msgspec.json.Decoder(list[msgspec.Raw]).decode
    asyncio.run(main([record for page in pages for record in read(page.read_bytes())]))
