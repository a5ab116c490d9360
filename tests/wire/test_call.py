"""Calls and the ids in their paths."""

import enum
from typing import Any
from uuid import UUID

import pytest

from fusedesk_async._wire.call import Call, get, number, post, text_id
from fusedesk_async._wire.readers import anything
from fusedesk_async.errors import ConfigurationError


class Size(int, enum.Enum):
    BIG = 7


def test_reads_may_be_repeated_and_writes_not_unless_they_say_so() -> None:
    read, write, tag = (
        get("v1/cases", anything),
        post("v1/cases", anything, {"a": 1}),
        post("t", anything, repeatable=True),
    )
    assert (read.repeatable, read.writes) == (True, False)
    assert (write.repeatable, write.writes) == (False, True)
    assert (tag.repeatable, tag.writes) == (True, True)
    assert Call(method="DELETE", path="x", read=anything).writes


def test_parameters_go_where_they_belong() -> None:
    assert get("p", anything, {"a": 1}) == Call(method="GET", path="p", read=anything, query={"a": 1}, repeatable=True)
    assert post("p", anything, {"a": 1}) == Call(method="POST", path="p", read=anything, form={"a": 1})
    assert (get("p", anything).query, post("p", anything).form) == ({}, {})


@pytest.mark.parametrize(("value", "text"), [(42, "42"), (0, "0"), (2**70, str(2**70)), (Size.BIG, "7")])
def test_whole_numbers_may_stand_in_a_path(value: int, text: str) -> None:
    assert number(value, "a case id") == text


@pytest.mark.parametrize("bad", [-1, True, False, None, 1.0, "1", "1/../../users", "AB12", b"1", [1]])
def test_nothing_else_may(bad: int) -> None:
    with pytest.raises(ConfigurationError, match="a case id is a whole number"):
        number(bad, "a case id")


@pytest.mark.parametrize(("value", "text"), [(7, "7"), ("x9-é", "x9-é"), (UUID(int=1), str(UUID(int=1)))])
def test_an_id_that_may_be_text_goes_as_it_is(value: Any, text: str) -> None:
    assert text_id(value, "a chat id") == text


@pytest.mark.parametrize("value", ["", " ", ".", "..", "a/b", "/", None, 7.0, True, -1, b"x"])
def test_what_would_be_another_path_is_no_id(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="a chat id is a"):
        text_id(value, "a chat id")
