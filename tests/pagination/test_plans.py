"""Pages of records some of which cannot be read."""

import json

import pytest

from fusedesk_async import Case, UnexpectedResponseError
from fusedesk_async._json import JSONText
from fusedesk_async._pagination.id_plan import IdPlan
from fusedesk_async._pagination.plain import PlainPlan
from fusedesk_async._wire.profile import LearnedProfile
from fusedesk_async._wire.readers import Records, many


def answer(*rows):
    """Ids of good records; in brackets, of ones with an odd field, without any id or with one that cannot be read."""
    members = [{"caseid": row} if isinstance(row, int) else {"caseid": row[0], "date_opened": "soon"} for row in rows]
    text = json.dumps([{k: v for k, v in row.items() if v is not None} for row in members]).encode()
    return many(Case)(JSONText(text), lambda error: error)


def ordered(page_size=5):
    return IdPlan(lambda case: case.id, page_size, LearnedProfile())


def brought(pages):
    return [([case.id for case in page.items], [error.record_id for error in page.rejected]) for page in pages]


def test_a_record_with_an_odd_field_is_one_of_the_others_and_its_field_is_told_of_once():
    plan = ordered()
    (fetch,) = plan.pages_to_fetch()
    (page,) = plan.page_received(fetch, answer(1, [2], 3, ["4"], [5]))
    assert brought([page]) == [([1, 2, 3, 4, 5], [])]
    assert [(odd.record_id, odd.field, odd.path) for odd in page.odd] == [
        (2, "date_opened", "$[1].date_opened"),
        ("4", "date_opened", "$[3].date_opened"),
        (5, "date_opened", "$[4].date_opened"),
    ]
    (fetch,) = plan.pages_to_fetch()
    assert fetch.offset == 4, "the next page overlaps with the last one"
    (page,) = plan.page_received(fetch, answer([5], 6))
    assert (brought([page]), page.odd) == ([([6], [])], ())
    assert plan.mended == 0


@pytest.mark.parametrize("whose", [None, "x12", "²"])
def test_one_without_an_id_counts_as_a_row_and_is_told_of(whose):
    plan = ordered()
    (page,) = plan.page_received(plan.pages_to_fetch()[0], answer(1, [whose], 3, [whose], 5))
    assert brought([page]) == [([1, 3, 5], [whose, whose])]
    assert page.received == 5
    assert plan.pages_to_fetch()[0].offset <= 4


def test_a_plain_plan_asks_for_a_page_once_and_knows_its_end():
    plan = PlainPlan(lambda case: case.id, 2)
    (first,) = plan.pages_to_fetch()
    assert (first.offset, first.limit) == (0, 2)
    assert plan.pages_to_fetch() == []
    plan.page_received(first, answer(2, 1))
    (second,) = plan.pages_to_fetch()
    assert second.offset == 2
    error = UnexpectedResponseError("odd")
    (page,) = plan.page_received(second, Records((), (error,)))
    assert page.rejected == (error,)
    plan.page_received(*plan.pages_to_fetch(), Records())
    assert plan.done
