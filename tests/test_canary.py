"""A known key goes through every kind of failure, and then nothing that anybody could see may hold it."""

import copy
import io
import logging
import pickle
import traceback
from contextlib import ExitStack

import anyio
import httpx
import pytest
from loopback import plain, serving
from telemetry import Telemetry
from tenacity import stop_after_attempt

from fusedesk_async import FuseDesk, FuseDeskError, RetryPolicy
from fusedesk_async._http.auth import KeyTransport
from fusedesk_async._wire.api_key import ApiKey
from fusedesk_async.otel import instrumented

pytestmark = pytest.mark.anyio

CANARY = "cAnArY/+K3y=%41&x"
SPELLINGS = [CANARY, "cAnArY%2F%2BK3y%3D%2541%26x", "cAnArY/%2BK3y%3D%2541%26x", "cAnArY"]


async def closes(stream, _):
    pass


async def hangs(stream, _):
    await stream.receive()


def says(data):
    async def behave(stream, _):
        await stream.send(data)

    return behave


ECHO = CANARY.encode()
FAILURES = {
    "closed": closes,
    "hangs": hangs,
    "cut": says(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[" + ECHO),
    "401": says(plain(b'{"error": "Bad key ' + ECHO + b'"}', "401 No", f"X-FuseDesk-Error: bad {CANARY}")),
    "405": says(plain(b'{"error": "Bad key ' + ECHO + b'", "errorcode": "' + ECHO + b'"}', "405 No")),
    "429": says(plain(ECHO, "429 No", "Retry-After: 1000")),
    "500": says(plain(b"<html><title>" + ECHO + b"</title>" + ECHO, "500 No")),
    "redirect": says(plain(b"", "302 Found", f"Location: https://elsewhere.example/?apikey={CANARY}")),
    "login": says(plain(b"<html><title>Log in, " + ECHO + b"</title>" + ECHO)),
    "HTML": says(plain(b"<html><title>" + ECHO + b"</title>" + ECHO)),
    "not JSON": says(plain(b"[nonsense " + ECHO)),
    "wrong shape": says(plain(b'{"caseid": "' + ECHO + b'"}')),
    "bad record": says(plain(b'[{"caseid": "' + ECHO + b'"}]')),
    "gibberish": says(b"gibberish " + ECHO + b"\r\n\r\n"),
    "good": says(plain(b"[]")),
}


def shown(error):
    """All that a log, a debugger or an error tracker would show of an error, local variables of its frames included."""
    parts = [repr(error), str(error), repr(error.args), repr(vars(error)), repr(pickle.dumps(error))]
    parts.append(repr(vars(copy.deepcopy(error))))
    parts.extend(frames(error))
    return parts


def frames(error):
    """The frames of an error with their variables, but for those of this file, which has the key."""
    walk = [frame for frame in traceback.walk_tb(error.__traceback__) if frame[0].f_code.co_filename != __file__]
    return traceback.StackSummary.extract(iter(walk), capture_locals=True).format()


def shown_below(error):
    """The same for whatever the error was raised from."""
    parts = []
    while error := (error.__cause__ or error.__context__):
        parts += [repr(error), repr(error.args)]
        parts.extend(frames(error))
        parts.append(repr(getattr(error, "_request", None)))
        if (request := getattr(error, "_request", None)) is not None:
            parts += [str(request.url), repr(request.headers.raw)]
    return parts


@pytest.fixture
def log():
    """Everything that is logged by anybody, at DEBUG."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.filterwarnings("ignore::fusedesk_async.FuseDeskWarning")
@pytest.mark.parametrize("auth", ["header", "query"])
@pytest.mark.parametrize("failure", FAILURES)
async def test_the_key_never_shows(failure, auth, log, capfd):
    seen, telemetry = [], Telemetry()

    def listen(event):
        seen.append(repr(event))
        if error := getattr(event, "error", None):
            seen.extend(shown(error))

    policy = RetryPolicy(stop=stop_after_attempt(1))
    async with serving(FAILURES[failure]) as server:
        timeout = 0.05 if failure == "hangs" else 5.0
        settings = {"api_key": CANARY, "auth": auth, "base_url": server.url, "retry": policy, "timeout": timeout}
        async with FuseDesk("acme", **settings) as desk:
            stack = ExitStack()
            stack.enter_context(desk.observe(listen))
            stack.enter_context(instrumented(desk, **telemetry.providers))
            seen += [repr(desk), str(desk), repr(vars(desk)), repr(desk.cases), repr(vars(desk.cases))]
            for method in ("GET", "POST"):
                for call in (
                    desk.call(method, "cases/7", query={"q": "x"}),
                    desk.cases.get(7),
                    desk.cases.search().collect(),
                ):
                    try:
                        await call
                    except FuseDeskError as error:
                        seen += shown(error) + shown_below(error)
            stack.close()
        assert any(CANARY.encode() in request or b"cAnArY" in request for request in server.requests)
    assert len(telemetry.spans) >= 6
    seen.append(telemetry.everything)
    assert len(seen) > 5
    output = capfd.readouterr()
    for text in [*seen, output.out, output.err]:
        for spelling in SPELLINGS:
            assert spelling not in text
    mine = [line for line in log.getvalue().splitlines() if "cAnArY" in line]
    assert mine == []


@pytest.mark.parametrize("auth", ["header", "query"])
async def test_the_key_goes_to_no_other_host(auth):
    def handler(request):
        raise AssertionError(f"sent to {request.url.host}")

    transport = KeyTransport(httpx.MockTransport(handler), "https://acme.fusedesk.com", ApiKey(CANARY), auth)
    with pytest.raises(FuseDeskError, match="another host") as caught:
        await transport.handle_async_request(httpx.Request("GET", "https://acme.fusedesk.com.evil.example/api/"))
    assert "cAnArY" not in "".join(shown(caught.value))


class ToldError(Exception):
    def __init__(self, text):
        super().__init__("see my own text")
        self.text = text

    def __str__(self):
        return self.text


def noted(request):
    error = OSError("no")
    error.add_note(str(request.url))
    return error


FOREIGN = {
    "note": noted,
    "group": lambda request: ExceptionGroup("several", [OSError(f"{request.url} {request.headers.raw}")]),
    "file name": lambda request: FileNotFoundError(2, "no", f"{request.url} {request.headers.raw}"),
    "text of its own": lambda request: ToldError(f"{request.url} {request.headers.raw}"),
    "request": lambda request: httpx.ReadError("no", request=request),
}


@pytest.mark.parametrize("auth", ["header", "query"])
@pytest.mark.parametrize("foreign", FOREIGN)
async def test_a_transport_that_was_handed_in_may_tell_the_key_but_we_do_not(foreign, auth):
    def handler(request):
        raise FOREIGN[foreign](request)

    policy = RetryPolicy(stop=stop_after_attempt(1))
    settings = {"api_key": CANARY, "auth": auth, "retry": policy, "transport": httpx.MockTransport(handler)}
    async with FuseDesk("acme", **settings) as desk:
        with pytest.raises(FuseDeskError) as caught:
            await desk.call("GET", "cases")
    everything = [*shown(caught.value), *shown_below(caught.value)]
    if caught.value.__cause__:
        everything += traceback.format_exception(caught.value.__cause__)
    assert not [text for text in everything if "cAnArY" in text]


async def test_a_cancelled_read_has_no_frame_with_the_key():
    seen = []
    async with serving(hangs) as server, FuseDesk("acme", api_key=CANARY, auth="query", base_url=server.url) as desk:
        with anyio.move_on_after(0.05):
            try:
                await desk.call("GET", "cases")
            except BaseException as error:
                seen = frames(error)
                raise
    assert seen
    assert not [text for text in seen if "cAnArY" in text]


def test_a_client_is_not_pickled_or_copied():
    desk = FuseDesk("acme", api_key=CANARY)
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="make one in each process") as caught:
            attempt(desk)
        assert CANARY not in str(caught.value)
    anyio.run(desk.aclose)
