"""Calls as requests: each kind of value has one spelling on the wire."""

import enum
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._wire.call import Call, get, post
from fusedesk_async._wire.encode import encode
from fusedesk_async._wire.readers import anything
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.filters import after, between


class Status(str, enum.Enum):  # noqa: UP042 - its text differs from a StrEnum's
    OPEN = "open"


class Kind(int, enum.Enum):
    BIG = 7


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b&c#d+e%f=é/😀", "p=a%20b%26c%23d%2Be%25f%3D%C3%A9%2F%F0%9F%98%80"),
        ("", "p="),
        (0, "p=0"),
        (2**70, f"p={2**70}"),
        (True, "p=true"),
        (False, ""),
        (None, ""),
        ([1, 2], "p%5B0%5D=1&p%5B1%5D=2"),
        (range(2), "p%5B0%5D=0&p%5B1%5D=1"),
        ((True, "x"), "p%5B0%5D=true&p%5B1%5D=x"),
        ({7}, "p%5B0%5D=7"),
        ({7: 1}.keys(), "p%5B0%5D=7"),
        ([[1], [2]], "p%5B0%5D%5B0%5D=1&p%5B1%5D%5B0%5D=2"),
        ([], ""),
        (UUID(int=1), "p=00000000-0000-0000-0000-000000000001"),
        (date(2024, 3, 1), "p=2024-03-01"),
        (datetime(2024, 3, 1, tzinfo=UTC), "p=2024-03-01T00%3A00%3A00%2B00%3A00"),
        (after("2024-03-01"), "p=%7B%22after%22%3A%222024-03-01%22%7D"),
        (Status.OPEN, "p=open"),
        (Kind.BIG, "p=7"),
    ],
)
def test_each_kind_of_value_has_one_spelling(value: Any, text: str) -> None:
    assert encode(get("v1/cases", anything, {"p": value})).query == text
    assert encode(post("v1/cases", anything, {"p": value})).form == text.encode()


@pytest.mark.parametrize(
    "bad", [1.5, float("nan"), b"x", bytearray(b"x"), {"a": 1}, object(), Decimal(1), [1.5], [{"a": 1}]]
)
def test_what_has_no_spelling_is_refused(bad: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"p.* cannot be "):
        encode(get("v1/cases", anything, {"p": bad}))


@pytest.mark.parametrize("bad", [{"p": "\ud800"}, {"\ud800": 1}, {"p": after("\ud800")}, {"p": ["\udfff"]}])
def test_lone_surrogates_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="lone surrogate"):
        encode(get("v1/cases", anything, bad))
    with pytest.raises(ConfigurationError, match="lone surrogate"):
        encode(get("v1/\ud800", anything))


def test_a_datetime_without_zone_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no time zone"):
        encode(get("v1/cases", anything, {"p": datetime(2024, 3, 1)}))  # noqa: DTZ001 - what is tested


@pytest.mark.parametrize(
    "path",
    [
        "v1/cases/1/../../users",
        "..",
        ".",
        "",
        "/",
        "v1//users",
        "http://evil.example",
        "v1/./x",
        "//",
        "//evil.example",
        "/v1/cases",
        "cases",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match="not a path below the API's root"):
        encode(get(path, anything))


@pytest.mark.parametrize(
    ("path", "encoded"),
    [
        ("v1/cases/42/snooze", "v1/cases/42/snooze"),
        ("v1/cases/", "v1/cases"),
        ("v1/%2e%2e/users", "v1/%252e%252e/users"),
        ("v1/a?x=1#y", "v1/a%3Fx%3D1%23y"),
        ("v1/..\\users", "v1/..%5Cusers"),
        ("v1/é b", "v1/%C3%A9%20b"),
    ],
)
def test_paths_are_encoded_segment_by_segment(path: str, encoded: str) -> None:
    assert encode(get(path, anything)).path == encoded


def test_only_a_post_has_a_form() -> None:
    assert encode(post("v1/cases", anything)).form == b""
    assert encode(get("v1/cases", anything)).form is None
    delete: Call[Any] = Call(method="DELETE", path="v1/casetags/1", read=anything)
    assert encode(delete).form is None
    with pytest.raises(ConfigurationError, match="a GET has no form"):
        encode(Call(method="GET", path="v1/cases", read=anything, form={"a": 1}))


def test_a_post_may_have_a_query_too() -> None:
    parts = encode(Call(method="POST", path="v1/cases/update", read=anything, query={"caseids": "1,2"}, form={"a": 1}))
    assert (parts.method, parts.query, parts.form) == ("POST", "caseids=1%2C2", b"a=1")


texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.one_of(
    texts, st.integers(), st.uuids(), st.dates(), st.builds(between, texts.filter(str.strip), st.dates())
)


def meant(value: Any) -> str:
    return value.encode() if hasattr(value, "encode") and not isinstance(value, str) else str(value)


@given(st.dictionaries(texts, scalars | st.lists(scalars) | st.none() | st.booleans()))
def test_a_form_decodes_to_what_was_meant(form: dict[str, Any]) -> None:
    expected: list[tuple[str, str]] = []
    for name, value in form.items():
        if value is True:
            expected.append((name, "true"))
        elif isinstance(value, list):
            expected += [(f"{name}[{place}]", meant(element)) for place, element in enumerate(value)]
        elif value is not None and value is not False:
            expected.append((name, meant(value)))
    encoded = encode(post("v1/cases", anything, form)).form or b""
    assert parse_qsl(encoded.decode("ascii"), keep_blank_values=True, strict_parsing=bool(encoded)) == expected


@given(st.text())
def test_a_path_stays_below_the_root(path: str) -> None:
    try:
        encoded = encode(get(path, anything)).path
    except ConfigurationError:
        return
    segments = encoded.split("/")
    assert not {"", ".", ".."} & set(segments)
    assert unquote(encoded) == path.removesuffix("/")
    assert encoded.isascii()
    assert not set(encoded) & set("?#\\ \n")
