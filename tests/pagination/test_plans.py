"""Pages of records some of which cannot be read."""

import json

import pytest

from fusedesk_async import Case, PaginationError, UnexpectedResponseError
from fusedesk_async._json import JSONText
from fusedesk_async._pagination.plans import OffsetPlan, StitchedPlan
from fusedesk_async._pagination.stitching import FetchPage, PageStitcher
from fusedesk_async._wire.readers import Records, many


def answer(*rows):
    """Ids of good records; a text in brackets makes one that cannot be read, with that id or without any."""
    members = [{"caseid": row} if isinstance(row, int) else {"caseid": row[0], "date_opened": "soon"} for row in rows]
    text = json.dumps([{k: v for k, v in row.items() if v is not None} for row in members]).encode()
    return many(Case)(JSONText(text), lambda error: error)


def ordered(page_size=5):
    return StitchedPlan(lambda case: case.id, PageStitcher(page_size))


def brought(pages):
    return [([case.id for case in page.items], [error.record_id for error in page.rejected]) for page in pages]


def test_a_record_that_cannot_be_read_takes_its_place_and_is_told_of_once():
    plan = ordered()
    (fetch,) = plan.pages_to_fetch()
    assert brought(plan.page_received(fetch, answer(1, [2], 3, ["4"], [5]))) == [([1, 3], [2, "4", 5])]
    (fetch,) = plan.pages_to_fetch()
    assert fetch.offset == 4, "the last one is known by its id, so the next page overlaps with it"
    assert brought(plan.page_received(fetch, answer([5], 6))) == [([6], [])]
    assert plan.mended == 0


def test_of_two_readings_of_a_record_the_one_that_can_be_read_is_given():
    plan = ordered()
    assert brought(plan.page_received(plan.pages_to_fetch()[0], answer([1], 1, 2, 2, [3], [3]))) == [([1, 2], [3])]


@pytest.mark.parametrize("whose", [None, "x12", "²"])
def test_one_without_an_id_counts_as_a_row_and_is_told_of(whose):
    plan = ordered()
    (page,) = plan.page_received(plan.pages_to_fetch()[0], answer(1, [whose], 3, [whose], 5))
    assert brought([page]) == [([1, 3, 5], [whose, whose])]
    assert page.received == 5
    assert plan.pages_to_fetch()[0].offset <= 4


def test_ids_that_cannot_be_read_are_in_order_too():
    plan = ordered()
    with pytest.raises(PaginationError, match="4 comes before 3"):
        plan.page_received(plan.pages_to_fetch()[0], answer(1, [4], 3))


def test_a_plain_plan_asks_for_a_page_once_and_knows_its_end():
    plan = OffsetPlan(lambda case: case.id, 2)
    assert plan.pages_to_fetch() == [FetchPage(0, 0)]
    assert plan.pages_to_fetch() == []
    plan.page_received(FetchPage(0, 0), answer(2, 1))
    assert plan.pages_to_fetch() == [FetchPage(1, 2)]
    error = UnexpectedResponseError("odd")
    (page,) = plan.page_received(FetchPage(1, 2), Records((), (error,), (0,)))
    assert page.rejected == (error,)
    assert plan.done
