"""Which of the cases that were found belongs to which row."""

from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async import CannotTellError, Case
from fusedesk_async._reconcile.assign import assign
from fusedesk_async._reconcile.found import Found
from fusedesk_async._reconcile.match import Opening, wanted


def want(summary="S", at=0.0):
    fields = {"depid": "3", "summary": summary, "details": "D", "openedby": "jo", "contactid": "9"}
    return wanted(fields, Opening(at, at))


def cases(*ids):
    return [Case(id=number) for number in ids]


def told(results):
    return ["?" if isinstance(result, CannotTellError) else None if result is None else result.id for result in results]


def test_equal_rows_share_equal_cases():
    three = [want()] * 3
    assert told(assign(three, [Found(cases(1, 2))] * 3)) == [1, 2, None]
    assert told(assign(three, [Found(cases(1, 2, 3))] * 3)) == [1, 2, 3]
    assert told(assign(three, [Found(cases(1, 2, 3, 4))] * 3)) == ["?"] * 3
    assert told(assign(three, [Found(cases(1), cases(5))] * 3)) == [1, "?", "?"]
    assert told(assign(three, [Found(cases(1), [], 2)] * 3)) == [1, "?", "?"]


def test_a_case_that_fits_rows_that_differ_is_nobodys():
    assert told(assign([want(), want("T")], [Found(cases(1)), Found(cases(1))])) == ["?", "?"]
    assert told(assign([want(), want(at=900.0)], [Found(cases(1)), Found(cases(2), cases(1))])) == [1, 2]


def test_what_is_anothers_for_sure_is_no_doubt():
    assert told(assign([want(), want(at=900.0)], [Found([], cases(2)), Found(cases(2))])) == [None, 2]
    assert told(assign([want()], [Found()])) == [None]
    assert told(assign([want()], [Found([], cases(2))])) == ["?"]


@given(st.lists(st.sampled_from("AB"), max_size=6), st.lists(st.sampled_from("AB"), max_size=6))
def test_no_case_is_given_twice_and_none_is_called_absent_that_may_be_there(rows, stored):
    wants = [want(name) for name in rows]
    there = {name: [Case(id=place + 1) for place, each in enumerate(stored) if each == name] for name in "AB"}
    results = assign(wants, [Found(list(there[name])) for name in rows])
    given_out = [result.id for result in results if isinstance(result, Case)]
    assert len(given_out) == len({*given_out})
    for name in "AB":
        mine = [result for row, result in zip(rows, results, strict=True) if row == name]
        if mine and len(there[name]) <= len(mine):
            assert sum(isinstance(result, Case) for result in mine) == len(there[name])
        else:
            assert all(isinstance(result, CannotTellError) for result in mine)
    assert Found() == Found([], [], 0, None)
