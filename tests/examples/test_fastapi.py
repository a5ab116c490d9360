"""The web service of the examples: in this process, and behind workers of uvicorn."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from fusedesk_async import errors

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture
async def service(load, anyio_backend):
    app = load("fastapi_service").app
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client,
    ):
        yield client


@pytest.mark.anyio
async def test_it_reads_and_writes(service, sandbox):
    case = (await service.get("/cases/3")).json()
    assert case["id"] == 3
    assert (await service.post("/cases/3/notes", content="called back")).status_code == 204
    assert (await service.get("/cases/3")).json()["items"] == case["items"] + 1
    department = next(iter(sandbox.state.departments.values())).name
    assert (await service.get("/cases", params={"department": department})).status_code == 200


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fault", "status"),
    [({"status": 500, "times": 9}, 502), ({"status": 401}, 500), ({"status": 403}, 500), ({"status": 405}, 422)],
)
async def test_each_error_has_a_status(fault, status, service, sandbox):
    sandbox.fault("get", **fault)
    response = await service.get("/cases/3")
    assert response.status_code == status
    assert "cases/3" in response.json()["detail"]


@pytest.mark.anyio
async def test_what_is_not_there_and_what_has_to_wait(service, sandbox):
    assert (await service.get("/cases/999")).status_code == 404
    assert (await service.get("/cases", params={"department": "none of ours"})).status_code == 422
    sandbox.fault("get", status=429, retry_after="30", times=9)
    response = await service.get("/cases/3")
    assert response.status_code == 503
    assert 25 <= int(response.headers["Retry-After"]) <= 40


def test_the_table_knows_each_error(load):
    statuses = load("fastapi_service").STATUSES
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]
    ours = [each for each in kinds if issubclass(each, errors.FuseDeskError)]
    assert all(any(kind in statuses for kind in each.__mro__) for each in ours)


def test_it_runs_behind_several_workers(environment, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "fastapi_service:app", "--workers", "2", "--port", str(port)]
    settings = os.environ | environment | {"FUSEDESK_SHARED_QUOTA": f"sqlite:///{tmp_path}/quota"}
    with subprocess.Popen(command, cwd=EXAMPLES, env=settings) as process:
        try:
            assert response_of(f"http://127.0.0.1:{port}/cases/3").json()["id"] == 3
        finally:
            process.terminate()
        assert process.wait(60) in {0, -signal.SIGTERM}


def response_of(url):
    until = time.monotonic() + 60
    while True:
        try:
            return httpx.get(url, trust_env=False)
        except httpx.TransportError:
            assert time.monotonic() < until
            time.sleep(0.05)
