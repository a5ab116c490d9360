"""Ids in addresses, elements of a history in forms, both of a bounded size; and texts in one list with commas."""

import json
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._wire.call import post
from fusedesk_async._wire.chunking import DEFAULT_FORM_SIZE, FORM_OVERHEAD, LONGEST_ID_LIST, history_forms, id_chunks
from fusedesk_async._wire.converter import unstructure
from fusedesk_async._wire.encode import encode
from fusedesk_async._wire.readers import acknowledgement, anything
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.models import NewEmail, NewHistoryItem, NewNote
from fusedesk_async.resources._resource import comma_list, in_one

NOTE = NewNote(title="t", note="n")
filled = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80).filter(str.strip)
items = st.lists(
    st.one_of(
        st.builds(NewNote, title=filled, note=filled),
        st.builds(NewEmail, to=filled, sender=filled, subject=filled, body=filled),
    ),
    min_size=1,
    max_size=12,
)


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=2_000))
def test_chunks_fit_into_an_address_and_together_are_all_ids_in_their_order(ids: list[int]) -> None:
    texts = list(id_chunks(ids))
    assert [int(part) for text, _ in texts for part in text.split(",")] == ids
    assert [len(text.split(",")) for text, _ in texts] == [count for _, count in texts]
    for text, _ in texts:
        sent = encode(post("v1/cases/update", anything, query={"caseids": text})).query
        assert len(sent) <= LONGEST_ID_LIST + len("caseids=")
    for (text, _), (following, _) in pairwise(texts):
        first = following.split(",")[0]
        assert len(quote(f"{text},{first},")) > LONGEST_ID_LIST, "id_chunks are no smaller than they must be"


@pytest.mark.parametrize("bad", [[], ["1"], [1, None], [True], [-1]])
def test_what_is_no_id_is_refused_at_once(bad: list[int]) -> None:
    with pytest.raises(ConfigurationError):
        id_chunks(bad)


@pytest.mark.parametrize("bad", [[1], [1, 1], [1, 2, 1], list(range(10**5, 10**5 + 400))])
def test_cases_that_cannot_be_merged_at_once_are_refused(bad: list[int]) -> None:
    with pytest.raises(ConfigurationError, match="two or more at a time"):
        in_one(bad)


def test_two_cases_make_a_pair() -> None:
    assert in_one([7, 3]) == "7,3"


@pytest.mark.parametrize(
    ("values", "text"),
    [(None, None), ("", None), ("a@x, b@x", "a@x, b@x"), ([], None), (("a@x",), "a@x"), (["a@x", "b@x"], "a@x,b@x")],
)
def test_one_text_goes_as_it_is_and_several_with_commas(values: str | list[str] | None, text: str | None) -> None:
    assert comma_list(values, "cc") == text


@pytest.mark.parametrize("bad", [["a,b"], [""], [" "], [None], [7]])
def test_texts_that_would_be_others_are_refused(bad: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="cc is made of texts without a comma"):
        comma_list(bad, "cc")


def bytes_of(form: dict[str, Any]) -> int:
    return len(encode(post("v1/cases/1/history", acknowledgement, form)).form or b"")


@given(items, st.integers(FORM_OVERHEAD, 6000), st.booleans())
def test_forms_stay_below_the_size_and_lose_nothing(history: list[NewHistoryItem], size: int, skip: bool) -> None:  # noqa: FBT001 - hypothesis names them
    try:
        parts = list(history_forms(history, skip_infusionsoft=skip, size=size))
    except ConfigurationError:
        largest = max(
            bytes_of({"history": json.dumps(unstructure(item), ensure_ascii=False, separators=(",", ":"))})
            for item in history
        )
        assert largest + FORM_OVERHEAD > size
        return
    assert all(bytes_of(form) <= size for form, _ in parts)
    sent = [element for form, _ in parts for element in json.loads(form["history"])]
    assert sent == [unstructure(item) for item in history]
    assert [len(json.loads(form["history"])) for form, _ in parts] == [count for _, count in parts]
    assert all(form["skipinfusionsoft"] is skip for form, _ in parts)


def test_a_short_history_goes_in_one_form() -> None:
    ((form, count),) = history_forms([NOTE, NOTE], skip_infusionsoft=False, size=DEFAULT_FORM_SIZE)
    assert count == 2
    assert form["history"] == '[{"title":"t","note":"n","type":"note"},{"title":"t","note":"n","type":"note"}]'


def test_forms_are_as_full_as_they_can_be() -> None:
    alone = bytes_of({"history": json.dumps(unstructure(NOTE), separators=(",", ":"))}) - len("history=") + len("%2C")
    counts = [count for _, count in history_forms([NOTE] * 7, skip_infusionsoft=True, size=FORM_OVERHEAD + 3 * alone)]
    assert counts == [3, 3, 1]


def test_one_element_too_large_is_refused_before_anything_is_given() -> None:
    history = [NOTE, NewNote(title="t", note="\u00e9" * 1000), NOTE]
    with pytest.raises(ConfigurationError, match=r"element 1 of the history needs 6\d\d\d bytes; form_size is 2000"):
        history_forms(history, skip_infusionsoft=False, size=2000)


def test_what_cannot_be_sent_is_refused_before_anything_is_given() -> None:
    with pytest.raises(ConfigurationError, match="lone surrogate"):
        history_forms([NOTE, NewNote(title="t", note="\ud800")], skip_infusionsoft=False, size=2000)
    with pytest.raises(ConfigurationError, match="no history"):
        history_forms([], skip_infusionsoft=False, size=2000)
