"""Parameters as PHP decodes them, from query, form and JSON."""

import pytest

from fusedesk_async.sandbox._call import Call
from fusedesk_async.sandbox._parameters import Parameters, decode_json, decode_pairs
from fusedesk_async.sandbox._refusals import Refused


def fields(**query: str | list[str]) -> Call:
    return Call({}, {**query}, {}, 0)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("a", "1"), ("a", "2")], {"a": "2"}),
        ([("a[]", "1"), ("a[]", "2")], {"a": ["1", "2"]}),
        ([("a[0]", "1"), ("a[1]", "2"), ("a[0]", "3")], {"a": ["3", "2"]}),
        ([("a", "1"), ("a[x]", "2")], {"a": ["2"]}),
        ([("a[]", "1"), ("a", "2")], {"a": "2"}),
        ([("", "1"), ("[x]", "2"), ("b", "")], {"b": ""}),
    ],
)
def test_pairs_are_read_as_php_reads_them(pairs: list[tuple[str, str]], expected: Parameters) -> None:
    assert decode_pairs(pairs) == expected


def test_json_members_read_like_form_fields() -> None:
    body = (
        b'{"a": 1, "b": true, "c": false, "d": null, "e": [1, "2"], "f": [{"x": 1}], "g": "\xc3\xbc", "h": {"y": []}}'
    )
    assert decode_json(body) == {
        "a": "1",
        "b": "1",
        "c": "",
        "e": ["1", "2"],
        "f": '[{"x":1}]',
        "g": "ü",
        "h": '{"y":[]}',
    }
    with pytest.raises(Refused, match="405"):
        decode_json(b"{")


@pytest.mark.parametrize(("text", "flag"), [("true", True), ("false", True), ("0", False), ("", False)])
def test_any_text_but_zero_is_true(text: str, *, flag: bool) -> None:
    """PHP's reading, assumed."""
    assert fields(a=text).flag("a") is flag
    assert not fields().flag("a")


def test_form_fields_go_before_the_query() -> None:
    call = Call({}, {"a": "1", "b": "2"}, {"a": "3"}, 0)
    assert (call.text("a"), call.text("b"), call.text("c")) == ("3", "2", None)


def test_words_come_from_commas_or_arrays() -> None:
    assert fields(a="x, y,,z ").words("a") == fields(a=["x", " y", "", "z"]).words("a") == ["x", "y", "z"]
    assert fields().words("a") == []


def test_json_fields() -> None:
    assert fields(a="[1]").json("a") == [1]
    assert fields(a="").json("a") is fields().json("a") is None
    for value in ("[", ["x"]):
        with pytest.raises(Refused):
            fields(a=value).json("a")


@pytest.mark.parametrize("text", ["x", "1.0", "--1", "9223372036854775808", "1e3", "½"])
def test_what_is_no_integer_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        fields(a=text).integer("a")
    assert fields(a="-9223372036854775808").integer("a") == -(1 << 63)


def test_dates_and_missing_fields() -> None:
    assert fields(a="1970-01-02T00:00:00Z").date("a") == 86_400
    assert fields().date("a") is None
    with pytest.raises(Refused, match="not a date"):
        fields(a="soon").date("a")
    with pytest.raises(Refused, match="Missing required field: a"):
        fields(a="").required("a")


@pytest.mark.parametrize("text", ["ABCD1234", "-1", "٣", "9" * 20])
def test_an_id_that_is_no_number_is_not_found(text: str) -> None:
    with pytest.raises(Refused, match="404"):
        Call({"case": text}, {}, {}, 0).id("case")
