"""Exports in processes of their own, killed for real."""

import os
import random
import subprocess
import sys
import time

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


@pytest.mark.parametrize("name", ["out.jsonl", "out.db"])
def test_a_few_real_kills_lose_nothing(name, tmp_path):
    sandbox, chance, kills = Sandbox(150, latency=0.01), random.Random(name), 0
    with serve_in_thread(sandbox) as url:
        settings = {"FUSEDESK_APP": "acme", "FUSEDESK_BASE_URL": url, "FUSEDESK_API_KEY": sandbox.api_key}
        while True:
            process = subprocess.Popen([sys.executable, "-c", PROGRAM, tmp_path / name], env=os.environ | settings)
            if kills < 3:
                while not (tmp_path / f"{name}.part").exists() and process.poll() is None:
                    time.sleep(0.01)
                time.sleep(chance.uniform(0.02, 0.3))
                process.kill()
            if process.wait() == 0:
                break
            kills += 1
            assert kills <= 3
    assert ids_in(tmp_path / name) == list(range(1, 151))
    details = sum(call.path.rsplit("/", 1)[-1].isdecimal() for call in sandbox.received)
    assert details <= 150 + kills * 4
