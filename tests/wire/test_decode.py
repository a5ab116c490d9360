"""One directory of `samples/` per odd answer, and a search for answers that nobody thought of.

`answer.json` holds the kind of the call, status, headers and body (`body`, `body_hex`, or `repeat`: texts and how
often) and what is expected. `{key}` stands for the API key.
"""

import json
import pickle
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import json_values

from fusedesk_async import errors
from fusedesk_async._wire.answer import Answer
from fusedesk_async._wire.api_key import ApiKey
from fusedesk_async._wire.call import Call, get, post
from fusedesk_async._wire.decode import decode
from fusedesk_async._wire.readers import Records, acknowledgement, anything, many, one, strings
from fusedesk_async.errors import APIError, FuseDeskError, Request, UnexpectedResponseError
from fusedesk_async.models import Acknowledgement, Case, CaseDetail, CreatedCase

KEY = ApiKey("cAnArY0123456789")
REQUEST = Request("GET", "v1/x", 2)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAMPLES = sorted((Path(__file__).parent / "samples").iterdir())
CALLS: dict[str, Call[Any]] = {
    "cases": get("v1/x", many(Case)),
    "case": get("v1/x", one(CaseDetail)),
    "created": post("v1/x", one(CreatedCase)),
    "permissions": get("v1/x", strings),
    "anything": get("v1/x", anything),
    "write": post("v1/x", acknowledgement),
}


def answer_of(sample: dict[str, Any]) -> Answer:
    if "body_hex" in sample:
        body = bytes.fromhex(sample["body_hex"])
    elif "repeat" in sample:
        body = with_key("".join(text * times for text, times in sample["repeat"])).encode()
    else:
        body = with_key(sample["body"]).encode()
    headers = {name: with_key(value) for name, value in sample["headers"].items()}
    return Answer(sample["status"], headers, body, NOON.timestamp(), KEY.redact)


def with_key(text: str) -> str:
    return text.replace("{key}", KEY.reveal()).replace("{key_word}", KEY.reveal())


def plain(result: Any) -> Any:
    """A result as `answer.json` can hold it."""
    match result:
        case Records():
            return [case.id for case in result.items]
        case CaseDetail():
            return result.id
        case Acknowledgement():
            return result.raw
        case frozenset():
            return sorted(result)
    return result


def shown(error: BaseException) -> str:
    return f"{error} {error!r} {vars(error)} {pickle.dumps(error)!r} {error.__cause__!r}"


def check_error(error: FuseDeskError, expected: dict[str, Any], status: int) -> None:
    assert type(error) is getattr(errors, expected["error"])
    assert error.request == REQUEST
    for text in expected.get("says", []):
        assert text in str(error)
    if isinstance(error, APIError):
        assert error.status == status
        assert error.code == expected.get("code", error.code)
        assert error.retry_after == expected.get("retry_after", error.retry_after)
        assert (error.retry_at is None) == (error.retry_after is None)
        if error.retry_at and error.retry_after:
            assert (error.retry_at - NOON).total_seconds() == error.retry_after


@pytest.mark.parametrize("directory", SAMPLES, ids=lambda directory: directory.name)
def test_every_odd_answer_is_what_it_is_said_to_be(directory: Path) -> None:
    sample = json.loads((directory / "answer.json").read_text())
    expected, answer = sample["expected"], answer_of(sample)
    told: list[UnexpectedResponseError] = []
    seen: list[FuseDeskError]
    try:
        result = decode(CALLS[sample["call"]], answer, REQUEST, told.append)
    except FuseDeskError as failure:
        check_error(failure, expected, sample["status"])
        seen = [failure]
    else:
        seen = list(result.rejected) if isinstance(result, Records) else []
        assert plain(result) == json.loads(with_key(json.dumps(expected["result"])))
    assert len(told) == expected.get("notices", 0)
    assert all(error.request == REQUEST and KEY.reveal()[:8] not in shown(error) for error in [*seen, *told])


def refuse(error: UnexpectedResponseError) -> None:
    raise error


@pytest.mark.parametrize("directory", SAMPLES, ids=lambda directory: directory.name)
def test_strict_mode_refuses_what_could_be_dealt_with(directory: Path) -> None:
    sample = json.loads((directory / "answer.json").read_text())
    expected, answer = sample["expected"], answer_of(sample)
    call = CALLS[sample["call"]]
    if not {"error", "notices", "strict"} & set(expected):
        decode(call, answer, REQUEST, refuse, strict=True)
        return
    with pytest.raises(FuseDeskError) as caught:
        decode(call, answer, REQUEST, refuse, strict=True)
    assert caught.value.request == REQUEST
    assert expected.get("strict", "") in str(caught.value)
    assert KEY.reveal()[:8] not in shown(caught.value)


def test_the_key_is_not_kept_by_an_answer_either() -> None:
    assert "cAnArY" not in repr(Answer(200, {}, b"cAnArY", 0.0, KEY.redact))


def test_a_sample_is_the_start_in_one_line_or_the_title() -> None:
    assert Answer(200, {}, b" a\nb\x1b " + b"c" * 999).sample == "a b " + "c" * 196
    assert Answer(200, {}, b"<TITLE lang=x>\n Log in </title>").sample == "HTML page 'Log in'"


noise = st.sampled_from(
    ["", "<div>", "PHP Warning: x[1]\n", "\ufeff", " ", "[", "{", '{"error": "x"}', KEY.reveal(), "]"]
)
values = json_values.map(json.dumps)
records = st.lists(
    st.fixed_dictionaries({"caseid": json_values}, optional={"history": json_values, "date_opened": json_values})
).map(json.dumps)
error_objects = st.fixed_dictionaries({"error": json_values, "errorcode": json_values}).map(json.dumps)
bodies = st.one_of(
    st.binary(),
    st.tuples(noise, st.one_of(values, records, error_objects, noise), noise).map("".join).map(str.encode),
    st.tuples(records, st.integers(0, 60)).map(lambda pair: pair[0].encode()[: pair[1]]),
    st.sampled_from([KEY.reveal().encode() * 70, b"[" * 3000, b'{"a":' * 3000, b"9" * 5000]),
)
header_values = st.one_of(st.text(), st.just(KEY.reveal()), st.just(f"https://x.example/login?{KEY.reveal()}"))
charsets = st.sampled_from(
    ["utf-8", "utf-16", "latin-1", "idna", "punycode", "rot13", "zip", "undefined", "\u0663", "mbcs", "cp037"]
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "content-type": charsets.map(lambda name: f"text/html; charset={name}") | st.text(),
        "location": header_values,
        "retry-after": header_values | st.integers().map(str),
        "date": header_values,
        "x-fusedesk-error": header_values,
        "x-fusedesk-error-code": header_values | st.just("api_error_noscope"),
    },
)
statuses = st.one_of(st.just(200), st.integers(100, 999), st.sampled_from([204, 302, 401, 403, 404, 405, 429, 500]))


@pytest.mark.parametrize("kind", CALLS)
@given(status=statuses, headers=headers, body=bodies, strict=st.booleans())
def test_any_answer_gives_a_result_or_an_error_of_ours_without_the_key(
    kind: str,
    status: int,
    headers: dict[str, str],
    body: bytes,
    strict: bool,  # noqa: FBT001 - hypothesis names them
) -> None:
    answer = Answer(status, headers, body, NOON.timestamp(), KEY.redact)
    told: list[UnexpectedResponseError] = []
    seen: list[BaseException] = []
    try:
        result = decode(CALLS[kind], answer, REQUEST, refuse if strict else told.append, strict=strict)
        seen += result.rejected if isinstance(result, Records) else ()
    except FuseDeskError as failure:
        seen.append(failure)
    for error in [*seen, *told]:
        assert KEY.reveal()[:8] not in shown(error)
        assert str(error).isprintable()
        assert pickle.loads(pickle.dumps(error)).args == error.args


@pytest.mark.parametrize("piece", [b"<form action=", b"<title login", b"<input type = ", b"<meta refresh ", b"<" * 13])
def test_a_long_page_is_not_searched_for_long(piece):
    page = piece * 100_000
    with pytest.raises((errors.AuthenticationError, UnexpectedResponseError)):
        decode(get("v1/x", anything), Answer(200, {}, page), Request("GET", "v1/x"), lambda _: None)
