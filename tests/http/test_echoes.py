"""Servers and proxies that repeat the key, anywhere: no error and no warning shows it."""

import traceback
import warnings

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tenacity import stop_after_attempt

from fusedesk_async import ConfigurationError, FuseDesk, FuseDeskError, NewCase, RetryPolicy
from fusedesk_async._http.auth import KEY_HEADER

pytestmark = pytest.mark.anyio

KEY = "cAnArY0123456789abcdefghijklmnopqrstuvwxyz"
FRONT = KEY[:8]
"""No text may hold as much as this."""
HEADERS = [
    "Content-Encoding",
    "Content-Type",
    "Date",
    "Location",
    "Retry-After",
    "X-FuseDesk-Error",
    "X-FuseDesk-Error-Code",
    "X-FuseDesk-Usage-Limit",
    "X-FuseDesk-Usage-Remaining",
    KEY,
]
BODIES = [
    "{}",
    '{{"error": "{}"}}',
    '{{"error": "no", "errorcode": "{}"}}',
    '{{"caseid": "{}"}}',
    '[{{"caseid": "{}"}}]',
    '[{{"caseid": 7, "summary": [], "departmentid": "{}"}}]',
    '[{{"caseid": 7, "{}": 1, "{}": 2}}]',
    "<html><title>{}</title></html>",
    "<b>{}</b>[1] [2]",
    "<form action='/login?{}'><input type=password>",
]

padding = st.integers(0, 1_100).map(lambda size: "x" * size) | st.integers(30, 90).map(lambda size: "y" * size)
echoes = padding.map(lambda text: text + KEY)
header = st.tuples(
    st.sampled_from(HEADERS), st.sampled_from(["", "charset=", "text/html; charset=", "https://x/"]), echoes
)
responses = st.fixed_dictionaries(
    {
        "status": st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 405, 408, 418, 429, 500, 503]),
        "headers": st.lists(header.map(lambda parts: (parts[0], parts[1] + parts[2])), max_size=3),
        "body": st.tuples(st.sampled_from(BODIES), echoes).map(lambda parts: parts[0].replace("{}", parts[1])),
    }
)


def shown(error):
    """All that an error tracker would show of an error and of what led to it, variables of our frames included."""
    seen, parts = [], []
    while error is not None and error not in seen:
        seen.append(error)
        parts += [str(error), repr(error), repr(error.args), repr(vars(error))]
        steps = [step for step in traceback.walk_tb(error.__traceback__) if step[0].f_code.co_filename != __file__]
        parts += traceback.StackSummary.extract(iter(steps), capture_locals=True).format()
        error = error.__cause__ or error.__context__
    return parts


async def get(desk):
    await desk.cases.get(7)


async def search(desk):
    await desk.cases.search(status="all").collect()


async def create(desk):
    await desk.cases.create(NewCase(department_id=3, summary="s", details="d", opened_by="jo@example.com"))


@given(response=responses, strict=st.booleans(), call=st.sampled_from([get, search, create]))
@example({"status": 200, "headers": [("Content-Encoding", "x" * 20 + KEY)], "body": "no JSON"}, False, get)
@example({"status": 302, "headers": [("Location", "https://x/" + "x" * 170 + KEY)], "body": ""}, False, get)
async def test_an_echo_shows_nowhere(response, strict, call):
    def handler(request):
        assert request.headers[KEY_HEADER] == KEY
        body = response["body"].encode()
        stream = httpx.ByteStream(body)  # or httpx would decompress it
        return httpx.Response(response["status"], headers=response["headers"], stream=stream)

    events, settings = (
        [],
        {"retry": RetryPolicy(stop=stop_after_attempt(1)), "on_rate_limit": "raise", "strict": strict},
    )
    parts = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        async with FuseDesk("acme", api_key=KEY, transport=httpx.MockTransport(handler), **settings) as desk:
            with desk.observe(events.append):
                try:
                    await call(desk)
                except FuseDeskError as error:
                    parts += shown(error)
    parts += [str(warning.message) for warning in caught] + [repr(event) for event in events]
    assert events
    assert not [text for text in parts if FRONT in text]


async def test_the_key_is_hidden_from_those_who_print_a_request():
    seen = []

    def handler(request):
        seen.extend([repr(request.headers), repr(request.headers.raw), str(request.headers)])
        assert request.headers[KEY_HEADER] == KEY
        return httpx.Response(200, content=b"{}")

    async with FuseDesk("acme", api_key=KEY, transport=httpx.MockTransport(handler)) as desk:
        await desk.call("GET", "cases")
    assert len(seen) == 3
    assert all("***" in text and FRONT not in text for text in seen)


@pytest.mark.parametrize("settings", [{"api_key": KEY, "timeout": -1}, {"api_key": f"{KEY} a"}])
def test_a_client_that_cannot_be_made_shows_no_key(settings):
    with pytest.raises(ConfigurationError) as caught:
        FuseDesk("acme", **settings)
    texts = shown(caught.value)
    assert any("_client.py" in text for text in texts)
    assert not [text for text in texts if FRONT in text]
