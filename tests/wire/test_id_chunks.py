from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._wire.call import post
from fusedesk_async._wire.chunking import LONGEST_ID_LIST, id_chunks
from fusedesk_async._wire.encode import encode
from fusedesk_async._wire.readers import anything
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.resources._resource import comma_list, in_one


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
