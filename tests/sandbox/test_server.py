"""The sandbox as a server on loopback."""

import sys

import httpx
import pytest

from fusedesk_async.sandbox import Sandbox, serve, serve_in_thread


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
async def test_a_sandbox_is_served_beside_asyncio_code() -> None:
    sandbox = Sandbox(5)
    async with serve(sandbox) as url, httpx.AsyncClient(base_url=url, params={"apikey": sandbox.api_key}) as http:
        answer = await http.get("/api/v1/cases")
        assert len(answer.json()) == 5
        assert answer.headers.get_list("date")
        sandbox.fault(drop=True)
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            await http.get("/api/v1/cases")
        sandbox.fault(truncate=5)
        with pytest.raises(httpx.RemoteProtocolError, match="received 5 bytes"):
            await http.get("/api/v1/cases")
        assert (await http.get("/api/v1/cases/1")).status_code == 200
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(url)


def test_a_sandbox_is_served_from_a_thread() -> None:
    sandbox = Sandbox(5)
    with serve_in_thread(sandbox) as url:
        files = {"apikey": (None, sandbox.api_key)}
        assert httpx.post(f"{url}/api/v1/usage", files=files).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


@pytest.mark.parametrize("missing", ["starlette.routing", "python_multipart"])
def test_without_the_extra_the_app_says_what_to_install(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.delitem(sys.modules, "fusedesk_async.sandbox._app", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=r'pip install "fusedesk_async\[sandbox\]"'):
        _ = Sandbox(0).app


def test_without_the_extra_the_server_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ImportError, match=r'pip install "fusedesk_async\[sandbox\]"'), serve_in_thread(Sandbox(0)):
        pass
