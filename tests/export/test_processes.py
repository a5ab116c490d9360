"""Exports in processes of their own, killed for real."""

import os
import random
import subprocess
import sys
import threading
from itertools import count

import pytest
from exports import ids_in

from fusedesk_async.sandbox import Sandbox, serve_in_thread

PROGRAM = """
import sys, anyio
from fusedesk_async import FuseDesk
from fusedesk_async.export import export_cases
async def main():
    async with FuseDesk.from_env() as desk:
        await export_cases(desk, sys.argv[1], status="all", history=True)
anyio.run(main)
"""


@pytest.mark.parametrize("name", ["out.jsonl", "out.db", "postgres"])
def test_a_few_real_kills_lose_nothing(name, place):
    sandbox, chance, kills = Sandbox(150, latency=0.01), random.Random(name), 3
    out = place(name)
    due, in_the_middle = count(1), threading.Event()
    sandbox.churn("get", lambda _: next(due) or in_the_middle.set())
    with serve_in_thread(sandbox) as url:
        settings = {"FUSEDESK_APP": "acme", "FUSEDESK_BASE_URL": url, "FUSEDESK_API_KEY": sandbox.api_key}
        command = [sys.executable, "-c", PROGRAM, str(out)]
        for _ in range(kills):
            due = count(-chance.randint(0, 40))  # so many cases are asked for before it is killed
            in_the_middle.clear()
            with subprocess.Popen(command, env=os.environ | settings) as process:
                assert in_the_middle.wait(60)
                process.kill()
        subprocess.run(command, env=os.environ | settings, check=True)
    assert ids_in(out) == list(range(1, 151))
    details = sum(call.path.rsplit("/", 1)[-1].isdecimal() for call in sandbox.received)
    assert details <= 150 + kills * 4
