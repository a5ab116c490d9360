import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import json_values

from fusedesk_async import _json
from fusedesk_async._json import JSONText


@given(json_values, st.booleans())
def test_reads_what_pythons_own_reader_reads(value: object, ascii_only: bool) -> None:  # noqa: FBT001 - hypothesis names them
    text = json.dumps(value, ensure_ascii=ascii_only, indent=1).encode(errors="replace")
    assert _json.loads(text) == json.loads(text)
    assert _json.named_twice(text) == []


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{",
        b"[1,]",
        b"NaN",
        b"[-Infinity]",
        b"1e400",
        b"[-1e400]",
        b'["a\x01"]',
        b"9" * 5000,
        b"1" * 400 + b".5",
        b'["\xff"]',
        b'["\xed\xa0\x80"]',
        b"[1] [2]",
        b"[1]x",
        b"\xef\xbb\xbf[]",
        b"[" * 100000 + b"]" * 100000,
        b"'a'",
        b'["\\ud800", NaN]',
        b'["\\ud800", 1e400]',
    ],
)
def test_refuses_what_is_no_json(bad: bytes) -> None:
    for read in (_json.loads, _json.members):
        with pytest.raises(ValueError, match=r"."):
            read(bad)


@pytest.mark.parametrize("bad", [b"", b"[1,]", b"NaN", b"[NaN]", b"[1] [2]", b"[" * 100_000 + b"]" * 100_000])
def test_elements_refuse_what_is_no_json_but_do_not_look_into_what_stands_in_them(bad: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        _json.elements(bad)
    assert _json.elements(b'[1e400, "\xff"]') == [b"1e400", b'"\xff"']


def test_bad_utf8_is_refused_with_its_place() -> None:
    with pytest.raises(ValueError, match="position 7"):
        _json.loads(b'["abcde\xff"]')


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'["\\ud800",'])
def test_no_depth_ends_in_a_recursion_error(opening: bytes) -> None:
    closing = b"}" if opening.startswith(b"{") else b"]"
    for depth in range(880, 1010):
        text = opening * depth + b"1" + closing * depth
        for read in (_json.loads, _json.named_twice, _json.elements, _json.members):
            try:
                read(text)
            except ValueError:
                continue


def test_large_numbers_and_lone_surrogates_are_kept() -> None:
    assert _json.loads(b"[" + b"9" * 4200 + b"]") == [int("9" * 4200)]
    assert _json.loads(b'["\\ud800"]') == ["\ud800"]


def test_members_named_twice_are_found_wherever_they_are() -> None:
    assert _json.named_twice(b'{"x": [{"b": 1, "a": 1, "b": 2, "a": 3, "c": 4}], "y": {"c": 1, "c": 1}}') == [
        "a",
        "b",
        "c",
    ]
    assert _json.loads(b'{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize("text", [b"", b"OK", b'{"a":1,"a":', b'{"a":1,"a":2}\xff', b'{"a":' * 9999])
def test_what_is_no_json_names_nothing_twice(text: bytes) -> None:
    assert _json.named_twice(text) == []


@given(st.lists(json_values, max_size=5), st.sampled_from([None, 1]))
def test_elements_are_the_exact_texts(values: list[object], indent: int | None) -> None:
    inner = [json.dumps(value, indent=indent) for value in values]
    text = " [\n" + " ,\t".join(inner) + " ] "
    assert _json.elements(text.encode()) == [part.encode() for part in inner]


@given(st.dictionaries(st.text() | st.just("\ud800"), json_values, max_size=5))
def test_members_are_the_exact_texts(value: dict[str, object]) -> None:
    text = "{ " + " ,\n".join(f"{json.dumps(name)} :\t{json.dumps(part)}" for name, part in value.items()) + "\n}"
    assert _json.members(text.encode()) == {name: json.dumps(part).encode() for name, part in value.items()}


def test_elements_and_members_refuse_the_other_shape() -> None:
    with pytest.raises(ValueError, match="expected a list, got an object"):
        _json.elements(b'{"a": "\\ud800"}')
    with pytest.raises(ValueError, match="expected an object, got a list"):
        _json.members(b'["\\ud800"]')
    with pytest.raises(ValueError, match="expected a list, got 7"):
        _json.elements(b"7")


def test_messages_show_a_value_by_its_start_or_its_kind() -> None:
    assert [_json.shown(value) for value in (["secret"], {"a": 1}, "x" * 999, None)] == [
        "a list",
        "an object",
        "'" + "x" * 79,
        "None",
    ]


def test_writes_without_blanks() -> None:
    assert _json.dumps({"a": ["é", 1, None]}) == '{"a":["é",1,null]}'
    with pytest.raises(UnicodeEncodeError):
        _json.dumps(["\ud800"])


def test_a_text_is_read_once_and_a_known_value_is_not_read_at_all() -> None:
    source = JSONText(b'{"a": [1]}')
    assert source.value == {"a": [1]}
    assert source.value is source.value
    assert JSONText(b"not JSON", None).value is None
    for _ in range(2):
        with pytest.raises(ValueError, match="malformed"):
            _ = JSONText(b"not JSON").value
