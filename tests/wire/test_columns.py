"""Columns read at once are what their values are one by one."""

import json
import os
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies import dates, flags, numbers, odd, tag_lists, texts

from fusedesk_async._wire import columns, php_values
from fusedesk_async._wire.columns import KINDS, Kind

EXAMPLES = int(os.environ.get("FUSEDESK_TEST_EXAMPLES", "300"))
ODD = "neither this nor that"

plain = [
    st.integers(0, 99),
    st.integers(0, 99).map(str),
    st.booleans(),
    st.sampled_from([None, False, "", 0, "0", 1.0]),
    st.datetimes().map(str),
    st.lists(st.integers(0, 9) | st.integers(0, 9).map(str), max_size=2),
    st.text(max_size=3),
]
some_values = st.lists(
    st.sampled_from([*plain, numbers, texts, dates, flags, tag_lists, odd]), min_size=1, max_size=2
).flatmap(lambda kinds: st.lists(st.one_of(kinds), max_size=8))


def or_odd(hook: Any, value: Any) -> Any:
    try:
        return hook(value)
    except (ValueError, TypeError):
        return ODD


def of_this_kind(kind: Kind, values: list[Any]) -> list[tuple[Any, Any]]:
    """The values that can be decoded as this kind, each as it is otherwise and as this kind."""
    decoder, found = msgspec.json.Decoder(kind.type), []
    for value in values:
        text = json.dumps(value).encode()
        try:
            found.append((msgspec.json.decode(text), decoder.decode(text)))
        except ValueError:
            continue
    return found


def read(kind: Kind, one: Any, values: list[Any]) -> list[Any]:
    """A column as pages are read: at once, or value by value."""
    taken = [value or eval(kind.default) for value in values] if kind.default else values
    if kind.hook is None:
        return [*taken]
    try:
        return [*kind.hook(taken)]
    except (ValueError, TypeError):
        return [or_odd(one, value) for value in taken]


@pytest.mark.parametrize(
    ("field_type", "kind"),
    [(field_type, kind) for field_type, kinds in KINDS.items() for kind in kinds],
    ids=lambda value: str(getattr(value, "type", value)),
)
@settings(max_examples=EXAMPLES // 3)
@given(some_values)
@example(["", ""])
@example([None, False, ""])
@example(["7", "", True])
@example([["1", ""], ["2"]])
@example(["0000-00-00", "0000-00-00 00:00:00", "2024-03-01T00:00:00Z", "-0001-11-30T00:00:00-06:00"])
@example(["2024-03-01T10:11:12.9999999Z"])
@example(["2024-03-01T10:11:12.5", "2024-03-01T10:11:12"])
@example(["2024-03-01", "2024-03-02", "0000-00-00"])
@example(["2024-03-01", " 2024-03-02"])
@example(["2024-03-01T10:11:12z"])
@example([1, True, "1", 1.0])
@example([1, True, "1", 0, False, "0", None, ""])
@example([2, 2.5, "x", None, False])
def test_a_column_is_read_as_its_values_are(field_type: Any, kind: Kind, values: list[Any]) -> None:
    one = php_values.HOOKS[field_type]
    column = of_this_kind(kind, values)
    expected = [or_odd(one, value) for value, _ in column]
    assert [*map(repr, read(kind, one, [value for _, value in column]))] == [*map(repr, expected)]


@pytest.mark.parametrize("field_type", KINDS, ids=str)
@given(numbers | texts | dates | flags | tag_lists | odd)
def test_what_any_kind_takes_the_last_kind_takes(field_type: Any, value: Any) -> None:
    *narrow, widest = KINDS[field_type]
    assert widest.type is Any
    if any(of_this_kind(kind, [value]) for kind in narrow):
        assert of_this_kind(widest, [value])


def test_every_type_of_a_field_has_its_kinds() -> None:
    assert KINDS.keys() == php_values.HOOKS.keys()


@pytest.mark.parametrize(
    ("hook", "column", "expected"),
    [
        (columns.whole_numbers, [1, None], [1, None]),
        (columns.whole_numbers, ["1", "", False], [1, None, None]),
        (columns.whole_numbers, [1, "", False], [1, None, None]),
        (columns.whole_numbers, [1, "2", 3.0], [1, 2, 3]),
        (columns.number_texts, [" 7 ", "-7", None], [7, -7, None]),
        (columns.texts, ["a", 1, 1.5, False], ["a", "1", "1.5", None]),
        (columns.flags, [1, "0", "", True], [True, False, None, True]),
        (columns.ids, [[1], [], "", False], [(1,), (), (), ()]),
        (columns.ids, [["1", 2], None], [(1, 2), ()]),
        (columns.lists_of_texts, [["1", "2"], []], [(1, 2), ()]),
        (columns.lists_of_texts, [[" 1"], []], [(1,), ()]),
        (columns.identifiers, ["a", 1, "", False], ["a", 1, None, None]),
        (columns.identifiers, [1.0], [1]),
        (columns.loose, [0, False, "", None, []], [0, None, None, None, []]),
    ],
)
def test_what_is_read_at_once(hook: columns.ColumnHook, column: list[Any], expected: list[Any]) -> None:
    assert [*map(repr, hook(column))] == [*map(repr, expected)]
