"""Bookmarks as text and back, and the jobs they belong to."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async import Bookmark, Case, ConfigurationError
from fusedesk_async._pagination.bookmark import job_of, resumed_from
from fusedesk_async._wire.call import get
from fusedesk_async._wire.readers import many
from fusedesk_async._wire.search_query import search_query

JOB = "0123456789abcdef"

bookmarks = st.builds(
    Bookmark,
    st.none() | st.integers(0, 10**18),
    st.integers(0, 10**12),
    st.text("0123456789abcdef", min_size=16, max_size=16),
)


def job(**filters):
    return job_of(get("v1/cases", many(Case), search_query(None, **filters)))


@given(bookmarks)
def test_a_bookmark_survives_a_text_file_and_a_pickle(bookmark):
    assert Bookmark.parse(f"{bookmark}\n") == bookmark
    assert pickle.loads(pickle.dumps(bookmark)) == copy.deepcopy(bookmark) == bookmark


def test_its_text():
    assert str(Bookmark(12, 34, JOB)) == f"fusedesk-walk/1 12 34 {JOB}"
    assert str(Bookmark(None, 0, JOB)) == f"fusedesk-walk/1 - 0 {JOB}"


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "12",
        f"fusedesk-walk/2 12 34 {JOB}",
        f"fusedesk-walk/1 12 -1 {JOB}",
        f"fusedesk-walk/1 ¹² 34 {JOB}",
        f"fusedesk-walk/1 {'1' * 5000} 34 {JOB}",
        "fusedesk-walk/1 12 34 x",
        None,
        b"fusedesk-walk/1 12 34",
    ],
)
def test_what_is_no_bookmark_is_refused(junk):
    with pytest.raises(ConfigurationError, match="not a walk bookmark"):
        Bookmark.parse(junk)


@given(st.text())
def test_nothing_else_comes_of_any_text(text):
    with pytest.raises(ConfigurationError):
        Bookmark.parse(text)


def test_a_job_is_its_filters_as_they_go_on_the_wire():
    assert job(status="open", rep_id=5) == job(rep_id=5, status="open")
    assert job(date_opened="2026-01-01") != job(date_opened="2026-01-02")
    assert len({job(), job(status="open"), job(status="closed"), job(rep_id=5)}) == 4


def test_a_bookmark_of_another_job_is_refused():
    bookmark = Bookmark(12, 34, job(status="open"))
    assert resumed_from(bookmark, job(status="open")) is bookmark
    with pytest.raises(ConfigurationError, match="other filters"):
        resumed_from(bookmark, job())


def test_what_has_no_spelling_on_the_wire_is_refused_before_anything_is_sent():
    with pytest.raises(ConfigurationError):
        job(rep_id=1.5)
